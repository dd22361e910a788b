import { describe, expect, it } from 'vitest';
import { configMarkdown, helpText, printConfig } from './describe.ts';
import { text } from './valueTypes.ts';
import { loadSettings } from './load.ts';
import { envName, groupOf } from './names.ts';
import { readGiven, setting } from './setting.ts';
import { SETTINGS } from './settings.ts';

const loaded = loadSettings({
  argv: ['--server.port=1', '--print-config'],
  env: {},
  readFile: () => undefined,
});
if (loaded.action !== 'print-config') throw new Error('not what was asked for');
const SECRET = { 'server.host': setting({ type: text(), default: '', doc: 'A secret.', secret: true }) };

describe('--help', () => {
  const lines = helpText().split('\n');

  it('names every setting with its placeholder', () => {
    for (const [key, row] of Object.entries(SETTINGS))
      expect(
        lines.some((line) => `${line} `.startsWith(`  --${key}=${row.type.placeholder} `)),
        key,
      ).toBe(true);
  });

  it('fits 100 columns and leaves no space at a line end', () => {
    expect(lines.filter((line) => line.length > 100 || line.endsWith(' '))).toStrictEqual([]);
  });

  it('shows the three ways and the exit codes', () => {
    expect(lines).toContain('  environment  ONESHOT_SERVER_PORT=8090');
    expect(lines.filter((line) => /^ {2}[012] {2}/.test(line))).toHaveLength(3);
  });

  it('puts the meaning below a flag that is too long for its column', () => {
    const long = {
      'a.veryLongNameThatFillsTheColumnOfFlags': setting({ type: text(), default: 'x', doc: 'Long.' }),
    };
    expect(helpText(long)).toContain(
      `\n  --a.veryLongNameThatFillsTheColumnOfFlags=<text>\n${' '.repeat(42)}Long. Default: x.\n`,
    );
  });
});

describe('--print-config', () => {
  it('shows each key, its value and where it came from, one on a line', () => {
    const lines = printConfig(loaded).trimEnd().split('\n');
    expect(lines).toHaveLength(Object.keys(SETTINGS).length);
    expect(lines).toContain('server.port = 1  # flag --server.port');
    expect(lines).toContain('scrapers.timeout = 10m  # default');
    expect(lines).toContain('config.file = ""  # default');
  });

  it('masks a secret that is set', () => {
    expect(printConfig(loaded, SECRET)).toBe('server.host = ***  # default\n');
  });
});

describe('a secret', () => {
  it('is not shown by an error either', () => {
    const given = {
      origin: 'flag --server.host',
      parse: () => {
        throw new Error('must be longer, not "hunter2"');
      },
    };
    expect(() => readGiven('server.host', SECRET['server.host'], given)).toThrow(
      /^server\.host \(flag --server\.host\) is not a valid <text>; its value isn't shown because it is a secret/,
    );
  });
});

describe('the page of settings', () => {
  const page = configMarkdown();

  it('has a row for every setting with its variables', () => {
    for (const key of Object.keys(SETTINGS))
      expect(page).toMatch(new RegExp(`^\\| \`${key}\` +\\| \`${envName(key)}\``, 'm'));
    expect(page).toContain('`ONESHOT_LOG_LEVEL`, `LOG_LEVEL`');
    expect(page).toContain('`USE_EXPLICIT_TIMESTAMPS`');
  });

  it('has a section for every group, and ends with one line break', () => {
    const found = [...page.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    expect(found).toStrictEqual([...new Set(Object.keys(SETTINGS).map(groupOf))]);
    expect(page).toMatch(/[^\n]\n$/);
  });

  it('escapes what would end a cell', () => {
    const row = { 'a.b': setting({ type: text(), default: '', doc: 'One | other.' }) };
    expect(configMarkdown(row)).toContain(String.raw`| One \| other. |`);
  });
});
