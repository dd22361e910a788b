import { describe, expect, it } from 'vitest';
import { jsonObject } from './json.ts';

const kind = jsonObject();

describe('a JSON object', () => {
  it('is read from a text or from config.json, and written as it is read', () => {
    expect(kind.parse('{"a":{"b":1}}')).toEqual({ a: { b: 1 } });
    expect(kind.parse({ a: [] })).toEqual({ a: [] });
    expect(kind.parse(kind.format({ a: { b: 'c' } }))).toEqual({ a: { b: 'c' } });
  });

  it.each([
    ['[]', 'must be a JSON object, not an array; write {} for an empty one'],
    [[], 'must be a JSON object, not an array; write {} for an empty one'],
    ['null', 'must be a JSON object, not "object"'],
    [3, 'must be a JSON object, not "number"'],
    ['"x"', 'must be a JSON object, not "string"'],
  ])('%j is none', (raw, message) => {
    expect(() => kind.parse(raw)).toThrow(message);
  });

  it('shows no secret, neither printed nor in an error', () => {
    const hidden = { a: { secret: 'hunter2' }, b: { secret: { file: '/run/x' } } };
    expect(kind.format(hidden)).toBe('{"a":{"secret":"***"},"b":{"secret":{"file":"/run/x"}}}');
    expect(() => kind.parse('{"a":{"secret":"hunter2"')).toThrow('is not valid JSON');
    expect(() => kind.parse('{"a":{"secret":"hunter2"')).not.toThrow('hunter2');
    expect(() => kind.parse('"hunter2"')).not.toThrow('hunter2');
  });
});
