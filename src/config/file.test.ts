import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile, readSettingsText } from './file.ts';
import { text } from './valueTypes.ts';
import { setting } from './setting.ts';
import { SETTINGS } from './settings.ts';

function values(json: string): Record<string, unknown> {
  return Object.fromEntries(
    [...readSettingsText('config.json', json, SETTINGS)].map(([key, given]) => [key, given.parse()]),
  );
}

describe('config.json', () => {
  it('may be nested, dotted, or both', () => {
    expect(values('{"server":{"port":1,"host":"h"},"log.level":"debug"}')).toStrictEqual({
      'server.port': 1,
      'server.host': 'h',
      'log.level': 'DEBUG',
    });
  });

  it('may be empty of settings, and begin with a byte order mark', () => {
    expect(values('\uFEFF{"server":{}}')).toStrictEqual({});
  });

  it('nests as deep as a key has segments', () => {
    const table = { 'web.config.file': setting({ type: text(), default: '', doc: 'A file.' }) };
    const given = readSettingsText('config.json', '{"web":{"config":{"file":"x"}}}', table);
    expect(given.get('web.config.file')?.parse()).toBe('x');
  });

  it('gives a key once only', () => {
    expect(() => values('{"server":{"port":1},"server.port":1}')).toThrow(
      'server.port is set twice in config.json, nested and dotted; keep one of them',
    );
  });

  it.each([
    [
      '{"server":{"prot":1}}',
      'unknown key "server.prot" in config.json (did you mean server.port?); correct or remove it',
    ],
    [
      '{"sever":{"port":1}}',
      'unknown key "sever" in config.json (did you mean server?); correct or remove it',
    ],
    ['{"port":1}', 'unknown key "port" in config.json (did you mean server.port?); correct or remove it'],
    ['{"__proto__":{"port":1}}', 'unknown key "__proto__" in config.json; correct or remove it'],
    ['{"constructor":1}', 'unknown key "constructor" in config.json; correct or remove it'],
    [
      '{"server":8090}',
      'server in config.json must be an object of settings, not a number; correct or remove it',
    ],
    [
      '{"server":null}',
      'server in config.json must be an object of settings, not null; correct or remove it',
    ],
    [
      '{"config":{"file":"x"}}',
      "config.file can't be set in config.json; use a flag or an environment variable",
    ],
    ['[]', 'config.json must contain one JSON object, not an array; write {} for no settings'],
    ['null', 'config.json must contain one JSON object, not null; write {} for no settings'],
  ])('is refused when it is %s', (json, message) => {
    expect(() => values(json)).toThrow(message);
  });

  it('passes an object on to a setting, which refuses it', () => {
    expect(() => values('{"server":{"port":{"a":1}}}')).toThrow('not {"a":1}; use digits only');
  });

  it.each([
    ['', 'line 1, column 1: it ends too early'],
    ['{"server":\n {"port": 8090', 'line 2, column 15: it ends too early'],
    ['{"log.level": "DEBUG', 'line 1, column 21: it ends too early'],
    ['{\n  "server.port": 8090,\n}', 'line 3, column 1: unexpected "}"'],
    ['{"server.port": 80x}', 'line 1, column 19: unexpected "x"'],
    ['{"server.port": trux}', 'line 1, column 20: unexpected "x"'],
    ["{'server.port': 1}", 'line 1, column 2: unexpected "\'"'],
    ['// port\n{}', 'line 1, column 1: unexpected "/"'],
    ['{} {}', 'line 1, column 4: unexpected "{"'],
    ['{"log.level": "a\nb"}', String.raw`line 1, column 17: unexpected "\n"`],
    ['[object Object]', 'line 1, column 2: unexpected "o"'],
    ['{"server.port":,}', 'line 1, column 16: unexpected ","'],
  ])('that is not JSON says where: %j', (json, message) => {
    expect(() => values(json)).toThrow(
      `config.json is not valid JSON at ${message}; JSON allows only double quotes, no comments and no trailing comma`,
    );
  });
});

describe('reading the file', () => {
  it('gives its text, nothing where there is none, and an error where it is no file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'oneshot-config-'));
    try {
      writeFileSync(join(directory, 'config.json'), '{}');
      expect(readConfigFile(join(directory, 'config.json'))).toBe('{}');
      expect(readConfigFile(join(directory, 'none.json'))).toBeUndefined();
      expect(() => readConfigFile(directory)).toThrow(/EISDIR/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
