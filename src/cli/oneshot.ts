import { PushError } from '../client/pushError.ts';
import { helpText } from '../config/describe.ts';
import { ConfigError } from '../config/error.ts';
import { shown } from '../core/errors.ts';
import { suggestion } from '../config/names.ts';
import { ApiError } from './api.ts';
import { Args, readArgs } from './args.ts';
import type { Command } from './command.ts';
import { EXIT } from './command.ts';
import { UsageError } from './options.ts';
import { COMMANDS, commandIn } from './commands.ts';
import { commandHelp, groupHelp, overview } from './help.ts';
import type { CliIo } from './io.ts';
import { exitOfError } from './report.ts';
import { serveCommand } from './serveCommand.ts';
import { SpoolError } from './spool/spool.ts';
import { printable } from './style.ts';

/** Runs the command that the process was started for. Resolves with the exit code. */
export async function oneshot(io: CliIo): Promise<number> {
  const [first = ''] = io.argv;
  // The server's own flags, as before there were commands.
  if (first === '' || first.startsWith('-')) return start(io, serveCommand, io.argv);
  if (first === 'help') return help(io, io.argv.slice(1));
  if (first === 'version') return start(io, serveCommand, ['--version', ...io.argv.slice(1)]);
  const found = commandIn(io.argv);
  if (found !== undefined) return start(io, found.command, found.rest);
  const members = membersOf(first);
  if (members.length > 0 && io.argv.slice(1).some(isHelp)) {
    io.stdout.write(groupHelp(first, members));
    return EXIT.ok;
  }
  return unknown(io, first);
}

async function start(io: CliIo, command: Command, argv: readonly string[]): Promise<number> {
  const { name, nodeMajorMin } = command;
  const fail = (message: string) => io.stderr.write(`oneshot ${name}: ${printable(message)}\n`);
  if (asksForHelp(command, argv)) {
    io.stdout.write(helpOf(command, io.argv[0] !== 'serve'));
    return EXIT.ok;
  }
  if (io.nodeMajor < nodeMajorMin) {
    fail(`needs Node ${nodeMajorMin} or newer, but this is Node ${io.nodeMajor}`);
    return EXIT.unusable;
  }
  try {
    // The server reads its own flags, which are its settings.
    const args =
      command === serveCommand
        ? new Args(new Map(), argv, undefined)
        : readArgs(argv, command.options, io.env);
    return await command.run(io, args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = exitOf(error);
    if (code === undefined) throw error;
    fail(error.message);
    return code;
  }
}

/** What is asked for behind `--` is asked of another command. */
function asksForHelp(command: Command, argv: readonly string[]): boolean {
  const end = command === serveCommand ? -1 : argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some(isHelp);
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

/** Who names no command and asks for help sees what commands there are. */
function helpOf(command: Command, isUnnamed: boolean): string {
  if (command !== serveCommand) return commandHelp(command);
  return isUnnamed ? overview(COMMANDS) : helpText();
}

/** The commands that begin with a word: `token new` of `token`. */
function membersOf(word: string): readonly Command[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${word} `));
}

function help(io: CliIo, words: readonly string[]): number {
  const found = commandIn(words);
  const [first = ''] = words;
  if (words.length === 0) io.stdout.write(overview(COMMANDS));
  else if (found !== undefined) io.stdout.write(helpOf(found.command, false));
  else if (words.length === 1 && membersOf(first).length > 0)
    io.stdout.write(groupHelp(first, membersOf(first)));
  else return unknown(io, words.join(' '));
  return EXIT.ok;
}

function unknown(io: CliIo, name: string): number {
  const names = COMMANDS.map((command) => command.name);
  const members = membersOf(name).map((command) => command.name);
  const near =
    members.length > 0
      ? `; ${members.length === 1 ? 'the command is' : 'the commands are'} ${members.join(', ')}`
      : suggestion(name, [...names, 'help', 'version']);
  io.stderr.write(`oneshot: unknown command ${shown(name)}${near}; see oneshot help\n`);
  return EXIT.unusable;
}

/** The exit code of what others have caused; undefined for a programmer's error. */
function exitOf(error: Error): number | undefined {
  if (error instanceof UsageError || error instanceof ConfigError) return EXIT.unusable;
  if (error instanceof PushError || error instanceof ApiError) return exitOfError(error);
  return error instanceof SpoolError ? EXIT.failed : undefined;
}
