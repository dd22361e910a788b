import { flagLines, wrap } from '../config/describe.ts';
import type { Command } from './command.ts';
import { COMMON } from './args.ts';

const COLUMNS = 100;
const NAME_COLUMNS = 18;

/** What `oneshot help` prints: the commands, and what holds for all of them. */
export function overview(commands: readonly Command[]): string {
  const lines = [
    'oneshot: post an event once, and each Prometheus that scrapes gets it exactly once.',
    '',
    'Usage: oneshot <command> [options]',
    '       oneshot [--<key>=<value> ...]      the same as oneshot serve',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(NAME_COLUMNS)}${summary}`),
    `  ${'help [command]'.padEnd(NAME_COLUMNS)}Print this, or all about one command.`,
    '',
    'Variables of the commands that talk to a server:',
    '  ONESHOT_URL       where it is, instead of http://localhost:8090',
    '  ONESHOT_TOKEN     a bearer token',
    '  ONESHOT_USER      name:password, instead of a token',
    '  ONESHOT_SPOOL     where events are kept that could not be sent',
    '  NO_COLOR          no colours on a terminal',
    '',
    'Exit codes of all but run, which ends with the code of its command:',
    '  0  all is well',
    '  1  it went wrong: the server could not be reached, or has no room',
    '  2  the command line, the configuration or the event makes no sense',
    '  3  the server refused the event: it breaks a rule',
    '  4  the address or the credentials are wrong',
    '',
  ];
  return lines.join('\n');
}

/** What `oneshot <command> --help` prints. */
export function commandHelp({ name, summary, usage, about, options, examples, exits }: Command): string {
  const flags = Object.entries({ ...options, ...COMMON }).flatMap(([flag, { kind, short, doc }]) => {
    const value = kind === undefined ? '' : `=${kind.placeholder}`;
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
