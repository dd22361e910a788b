import { describe, expect, it } from 'vitest';
import { namedObjects } from './json.ts';

const type = namedObjects(new Set(['labels', 'preset']));

describe('a JSON object', () => {
  it('is read from a text or from config.json, and written as it is read', () => {
    expect(type.parse('{"a":{"b":1}}')).toEqual({ a: { b: 1 } });
    expect(type.parse({ a: [] })).toEqual({ a: [] });
    const shown = { a: { labels: { b: ['c', 1, null] }, preset: 'd' } };
    expect(type.parse(type.format(shown))).toEqual(shown);
  });

  it.each([
    ['[]', 'must be a JSON object, not an array; write {} for an empty one'],
    [[], 'must be a JSON object, not an array; write {} for an empty one'],
    ['null', 'must be a JSON object, not "object"'],
    [3, 'must be a JSON object, not "number"'],
    ['"x"', 'must be a JSON object, not "string"'],
  ])('%j is none', (raw, message) => {
    expect(() => type.parse(raw)).toThrow(message);
  });

  it('shows no secret, neither printed nor in an error', () => {
    const hidden = {
      a: { secret: 'hunter2', preset: 'p' },
      b: { secret: ['hunter2'] },
      c: { secret: { text: 'hunter2' }, token: 'hunter2' },
      d: { secrets: 'hunter2', scret: ['hunter2'], Secret: 'hunter2', other: 'hunter2' },
      e: { labels: { password: 'hunter2', x: [{ scret: 'hunter2' }], API_KEY: ['hunter2'] } },
      f: 'hunter2',
      g: ['hunter2'],
    };
    expect(type.format(hidden)).not.toContain('hunter2');
    expect(type.format({ a: { secret: 'x', preset: 'p' } })).toBe('{"a":{"secret":"***","preset":"p"}}');
    expect(() => type.parse('{"a":{"secret":"hunter2"')).toThrow('is not valid JSON');
    expect(() => type.parse('{"a":{"secret":"hunter2"')).not.toThrow('hunter2');
    expect(() => type.parse('"hunter2"')).not.toThrow('hunter2');
  });
});
