import { describe, expect, it } from 'vitest';
import { NOT_EMPTY, boolean, integer, list, oneOf, port, text } from './valueTypes.ts';

describe('an integer', () => {
  const type = integer(1, 100);

  it.each([1, 100, '1', '100', '007'])('may be %j, both ends included', (raw) => {
    expect(type.parse(raw)).toBe(Number(raw));
  });

  it.each([0, 101, '0', '101', '99999999999999999999', '9'.repeat(400)])(
    'beyond its range is refused: %j',
    (raw) => {
      expect(() => type.parse(raw)).toThrow(
        /^must be a whole number from 1 to 100, not .*; choose a number in this range$/,
      );
    },
  );

  it.each(['', ' 5', '5\n', '1e1', '0x10', '1.5', '-5', 'NaN', 1.5, -1, NaN, null, true, [], {}])(
    'is written in digits, so %j is refused',
    (raw) => {
      expect(() => type.parse(raw)).toThrow(/; use digits only$/);
    },
  );
});

describe('a port', () => {
  it.each([0, '65535'])('may be %j', (raw) => {
    expect(port().parse(raw)).toBe(Number(raw));
  });

  it('ends at 65535', () => {
    expect(() => port().parse(65_536)).toThrow(
      'must be a port from 0 to 65535 (0 for any free one), not 65536; choose a number in this range',
    );
  });
});

describe('a boolean', () => {
  it.each([true, 'true', 'TRUE', 'True'])('is true for %j', (raw) => {
    expect(boolean().parse(raw)).toBe(true);
  });

  it.each([false, 'false', 'FALSE'])('is false for %j', (raw) => {
    expect(boolean().parse(raw)).toBe(false);
  });

  it.each(['', 'yes', '1', 1, 0, null])('is nothing else, so %j is refused', (raw) => {
    expect(() => boolean().parse(raw)).toThrow(/^must be true or false, not .*; use one of them$/);
  });
});

describe('a text', () => {
  it('may be empty where no rule says otherwise', () => {
    expect(text().parse('')).toBe('');
  });

  it.each(['', ' \t'])('that must say something is refused as %j', (raw) => {
    expect(() => text(NOT_EMPTY).parse(raw)).toThrow(/must be a non-empty string/);
  });

  it.each([5, null, true, ['a']])('is no other JSON value, so %j is refused', (raw) => {
    expect(() => text().parse(raw)).toThrow(
      `must be a string, not ${JSON.stringify(raw)}; put it in double quotes`,
    );
  });

  it('is written so that a line stays a line', () => {
    expect(['./data', '', 'a b', 'a\nb', 'a#b'].map((value) => text().format(value))).toStrictEqual([
      './data',
      '""',
      '"a b"',
      String.raw`"a\nb"`,
      '"a#b"',
    ]);
  });

  it('is cut after 60 characters in an error', () => {
    const type = text({ pattern: /^a$/, rule: 'an a', remedy: 'write a' });
    expect(() => type.parse('x'.repeat(61))).toThrow(`must be an a, not "${'x'.repeat(60)}…"; write a`);
  });
});

describe('a choice', () => {
  const level = oneOf(['WARN', 'INFO'], { anyCase: true });

  it('is spelt as in the table, whatever the case it was given in', () => {
    expect(['info', 'INFO', 'Info'].map((raw) => level.parse(raw))).toStrictEqual(['INFO', 'INFO', 'INFO']);
  });

  it('keeps to its case unless told otherwise', () => {
    expect(() => oneOf(['json']).parse('JSON')).toThrow(
      'must be one of json, not "JSON"; use one of them, for example json',
    );
  });

  it.each(['', 'TRACE', 1, null])('refuses %j and lists what there is', (raw) => {
    expect(() => level.parse(raw)).toThrow(/^must be one of WARN, INFO, not /);
  });

  it('shows its words in --help', () => {
    expect(level.placeholder).toBe('<WARN|INFO>');
  });
});

describe('a list', () => {
  it('is separated by commas, spaces around them not counting', () => {
    expect(list().parse('a, b ,c')).toStrictEqual(['a', 'b', 'c']);
  });

  it('may be an array', () => {
    expect(list().parse(['a', 'b,c'])).toStrictEqual(['a', 'b,c']);
  });

  it.each(['', ' ', []])('is empty for %j', (raw) => {
    expect(list().parse(raw)).toStrictEqual([]);
  });

  it.each(['a,,b', 'a,', ',', ['a', ' ']])('has no empty items, so %j is refused', (raw) => {
    expect(() => list().parse(raw)).toThrow(/must be a list without empty items/);
  });

  it.each([5, null, {}, ['a', 5]])('holds texts only, so %j is refused', (raw) => {
    expect(() => list().parse(raw)).toThrow(/must be a list of strings, not .*; write a,b,c, or/);
  });

  it('may have a rule that each item keeps', () => {
    const kept = list({ pattern: /^[a-z]$/, rule: 'a letter', remedy: 'write one letter' });
    expect(kept.parse('a,b')).toStrictEqual(['a', 'b']);
    expect(kept.parse('')).toStrictEqual([]);
    expect(() => kept.parse('a,bb,c')).toThrow(
      'must be a list in which each item is a letter, not "bb"; write one letter',
    );
  });

  it('is written as it is read', () => {
    expect([['a', 'b'], []].map((items) => list().format(items))).toStrictEqual(['a,b', '""']);
  });
});
