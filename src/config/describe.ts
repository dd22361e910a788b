import { envName, groupsOf } from './names.ts';
import type { Setting, Table } from './setting.ts';
import type { LoadedSettings } from './settings.ts';
import { SETTINGS } from './settings.ts';

const COLUMNS = 100;
const FLAG_COLUMNS = 42;

/** What --help prints: every setting by group, no line longer than 100 columns. */
export function helpText(table: Table = SETTINGS): string {
  const lines = [
    'oneShotMetricsServer: post an event once, and each Prometheus that scrapes gets it exactly once.',
    '',
    'Usage: oneShotMetricsServer [--<key>=<value> ...]',
    '',
    ...flagLines('--help, -h', 'Print this help.'),
    ...flagLines('--version', 'Print the version.'),
    ...flagLines('--print-config', 'Print each setting and where it comes from.'),
  ];
  for (const [group, keys] of groupsOf(table)) {
    lines.push('', group);
    for (const key of keys) {
      const row = rowOf(table, key);
      const fallback = defaultOf(row);
      const doc = fallback === '' ? row.doc : `${row.doc} Default: ${fallback}.`;
      lines.push(...flagLines(`--${key}=${row.type.placeholder}`, doc));
    }
  }
  lines.push(
    '',
    'Three ways to set a key; the first one wins:',
    '  flag         --server.port=8090',
    `  environment  ${envName('server.port')}=8090`,
    '  config.json  {"server": {"port": 8090}}',
    '',
    'Durations: 250ms, 10s, 1h30m, 7d, 0. Sizes: 512B, 64KiB, 1MiB, 8MB. Lists: a,b,c.',
    '',
    'Exit codes:',
    '  0  it stopped because you asked it to',
    '  1  it failed while running',
    "  2  it couldn't start (invalid setting, port in use, unreadable log); one line says why",
    '',
  );
  return lines.join('\n');
}

/** A flag and its meaning beside it; below it where the flag is too long for its column. */
export function flagLines(flag: string, doc: string): string[] {
  const indent = ' '.repeat(FLAG_COLUMNS);
  const wrapped = wrap(doc, COLUMNS - FLAG_COLUMNS);
  const head = `  ${flag}`;
  if (head.length + 2 > FLAG_COLUMNS) return [head, ...wrapped.map((line) => indent + line)];
  return wrapped.map((line, i) => (i === 0 ? head.padEnd(FLAG_COLUMNS) : indent) + line);
}

export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** What --print-config prints: `server.port = 8090  # default`, one line for each key. A secret that is set shows as `***`. */
export function printConfig(
  { settings, origins }: Pick<LoadedSettings, 'settings' | 'origins'>,
  table: Table = SETTINGS,
): string {
  const values: Readonly<Record<string, unknown>> = settings;
  const from: Readonly<Record<string, string>> = origins;
  const lines = Object.entries(table).map(([key, row]) => {
    const value = row.type.format(values[key]);
    const masked = row.secret && value !== row.type.format(row.default) ? '***' : value;
    return `${key} = ${masked}  # ${from[key]}\n`;
  });
  return lines.join('');
}

const WAYS = [
  ['flag', '`--server.port=8090`'],
  ['environment', '`ONESHOT_SERVER_PORT=8090`'],
  ['config.json', '`{"server": {"port": 8090}}`'],
];

const INTRO = `# Configuration

<!-- Generated from src/config/settings.ts. Change a setting there, not here. -->

Each setting has one key, which is the same everywhere. For \`server.port\`:

${markdownTable(['Way', 'How'], WAYS)}
Flags override the environment, which overrides config.json, which overrides the defaults. config.json is read from the
working directory if it exists; \`--config.file\` or \`ONESHOT_CONFIG_FILE\` names another file, which must exist. If a
setting has a second environment variable, the first one wins.

If it finds an unknown key, flag or \`ONESHOT_\` variable, or an invalid value, the server doesn't start. It prints one line that
says what to do, and exits with code 2. Variables that Kubernetes sets for a Service named \`oneshot\` or \`oneshot-server\` are ignored.
\`--print-config\` shows each value and where it comes from.

- **Durations**: \`250ms\`, \`10s\`, \`10m\`, \`1h30m\`, \`7d\`. Only \`0\` needs no unit.
- **Sizes**: \`512B\`, \`64KiB\` (1024 bytes each), \`8MB\` (a million bytes each), or a bare number of bytes.
- **Lists** are separated by commas (\`a,b,c\`); in config.json they are arrays (\`["a", "b", "c"]\`).
`;

/** The page docs/operate/config.md, formatted as prettier would. */
export function configMarkdown(table: Table = SETTINGS): string {
  const sections = groupsOf(table).map(([group, keys]) => {
    const rows = keys.map((key) => {
      const row = rowOf(table, key);
      const variables = [envName(key), ...(row.env ?? []).map((alias) => alias.name)];
      return [code(key), variables.map(code).join(', '), code(defaultOf(row)), row.doc];
    });
    return `\n## ${group}\n\n${markdownTable(['Key', 'Environment', 'Default', 'Meaning'], rows)}`;
  });
  return INTRO + sections.join('');
}

function code(value: string): string {
  return value === '' ? '' : `\`${value}\``;
}

/** A table, formatted as prettier would. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', String.raw`\|`)));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return cells.map((row, i) => (i === 0 ? line(row) + rule : line(row))).join('');
}

/** The default as one would write it; nothing for an empty one. */
function defaultOf({ type, default: fallback }: Setting<unknown>): string {
  return fallback === '' ? '' : type.format(fallback).replace(/^""$/, '');
}

function rowOf(table: Table, key: string): Setting<unknown> {
  const row = table[key];
  if (row === undefined) throw new TypeError(`no such setting: ${key}`);
  return row;
}
