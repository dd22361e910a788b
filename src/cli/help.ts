import { flagLines, wrap } from '../config/describe.ts';
import type { Command } from './command.ts';
import { COMMON } from './args.ts';

const COLUMNS = 100;
const NAME_COLUMNS = 18;

/** What `oneshot help` prints: the commands, in what a terminal shows at once. */
export function overview(commands: readonly Command[]): string {
  const lines = [
    'oneshot: post an event once, and each Prometheus that scrapes gets it exactly once.',
    '',
    'Usage: oneshot <command> [options]',
    '',
    ...list(commands),
    ...row('help [command]', 'Print this help, or the help of one command.'),
    ...row('version', 'Print the version.'),
    '',
    'oneshot <command> --help    options, environment variables and exit codes of a command',
    'oneshot serve --help        all settings of the server, as flags',
    '',
  ];
  return lines.join('\n');
}

/** What `oneshot token --help` prints, where `token` alone is no command. */
export function groupHelp(word: string, commands: readonly Command[]): string {
  return [
    `Usage: oneshot ${word} <command> [options]`,
    '',
    ...list(commands),
    '',
    `oneshot ${commands[0]?.name ?? word} --help    options and exit codes`,
    '',
  ].join('\n');
}

function list(commands: readonly Command[]): readonly string[] {
  return commands.flatMap(({ name, summary }) => row(name, summary));
}

function row(name: string, text: string): readonly string[] {
  return [`  ${name.padEnd(NAME_COLUMNS)}${text}`];
}

/** What `oneshot <command> --help` prints. */
export function commandHelp({ name, summary, usage, about, options, examples, exits }: Command): string {
  const flags = Object.entries({ ...options, ...COMMON }).flatMap(([flag, { type, alone, short, doc }]) => {
    const needed = type === undefined ? '' : `=${type.placeholder}`;
    const value = alone === undefined ? needed : `[${needed}]`;
    return flagLines(`--${flag}${value}${short === undefined ? '' : `, -${short}`}`, doc);
  });
  const lines = [
    `oneshot ${name}: ${summary}`,
    '',
    `Usage: oneshot ${name} [options]${usage === '' ? '' : ` ${usage}`}`,
    ...about.flatMap((paragraph) => ['', ...wrap(paragraph, COLUMNS)]),
    '',
    'Options:',
    ...flags,
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    'Exit codes:',
    ...exits.map(
      ([code, when]) => `  ${code.padEnd(exits.some(([each]) => each.length > 5) ? 20 : 5)}${when}`,
    ),
    '',
  ];
  return lines.join('\n');
}
