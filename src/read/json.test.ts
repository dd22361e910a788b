import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RefusedError } from '../core/errors.ts';
import type { Json } from './json.ts';
import { JsonNumber, isJsonObject, parseJson } from './json.ts';

/** As `JSON.parse` would have made it. */
function plain(json: Json): unknown {
  if (json instanceof JsonNumber) return Number(json.text);
  if (Array.isArray(json)) return (json as readonly Json[]).map(plain);
  if (!isJsonObject(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plain(value)]));
}

function errorOf(text: string): RefusedError | undefined {
  try {
    parseJson(text);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(RefusedError);
    return error as RefusedError;
  }
}

/** What JSON is made of, and what comes near. */
const PIECES = '{ } [ ] , : " "a" "b" \\ \\n \\u00e9 \\uD800 null tru true false 0 - 1 . e E5 + é /'
  .split(' ')
  .concat(' ', '\n', '\t', '\u00a0', '\ufeff', '\u0000');

describe('strict JSON', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 20 }), fc.constantFrom(undefined, 2, '\t'), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), undefined, indent);
        expect(plain(parseJson(spaced))).toEqual(JSON.parse(spaced));
      }),
      { numRuns: 1000 },
    );
  });

  test('is taken or refused as JSON.parse does, however broken', () => {
    const piece = fc.constantFrom(...PIECES);
    let taken = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        let parsed: unknown;
        let isJson = true;
        try {
          parsed = JSON.parse(text);
        } catch {
          isJson = false;
        }
        const error = errorOf(text);
        // What JSON.parse takes, and keeps less than all of.
        if (/more than once|out of range/.test(error?.message ?? '')) return;
        expect(error === undefined, text).toBe(isJson);
        if (!isJson) return;
        taken += 1;
        expect(plain(parseJson(text))).toEqual(parsed);
      }),
      { numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('of any text whatever ends in a value or in a refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        for (const each of [text, `"${text}"`, `{"a":${text}}`, `[${text}`]) errorOf(each);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps a number as it was written', () => {
    expect(parseJson('12345678901234567890.10')).toEqual(new JsonNumber('12345678901234567890.10'));
  });

  test.each(['__proto__', 'constructor', 'toString'])('has %s as a name like any other', (name) => {
    const object = parseJson(`{"${name}":{"a":true}}`);
    expect(isJsonObject(object) && Object.keys(object)).toEqual([name]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(({} as { a?: boolean }).a).toBeUndefined();
  });

  test('tells where a name stands twice, and where a number is too large', () => {
    expect(errorOf('[{},{"a":{"b":1,"c":2,"b":1}}]')?.field).toBe('[1].a.b');
    expect(errorOf('{"a":[0,1e309]}')?.field).toBe('a[1]');
    expect(errorOf('1e309')?.field).toBe('body');
  });

  test('tells line and column', () => {
    expect(errorOf('{\n  "a": 1,\n  b: 2\n}')?.message).toBe(
      'body is not valid JSON: expected a name in double quotes at line 3, column 3, but found "b: 2\\n}"',
    );
  });

  test('takes 64 levels and no more', () => {
    expect(errorOf('['.repeat(64) + ']'.repeat(64))).toBeUndefined();
    expect(errorOf('['.repeat(65) + ']'.repeat(65))?.message).toContain('more than 64 levels deep');
  });

  test('takes time in proportion to its length', () => {
    for (const text of [
      '['.repeat(1e6),
      '"\\n'.repeat(5e5),
      `"${'\\n'.repeat(5e5)}"`,
      '1'.repeat(1e6),
      ' '.repeat(1e6),
    ]) {
      const started = performance.now();
      errorOf(text);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });

  test('keeps names apart that are longer than V8 hashes, and finds one that stands twice', () => {
    const long = 'x'.repeat(20_000);
    const json = parseJson(`{"${long}a":1,"b":2,"${long}b":3,"${long}":4}`);
    expect(Object.values(json as object).map(plain)).toEqual([1, 2, 3, 4]);
    expect((json as { b: JsonNumber }).b.text).toBe('2');
    expect(errorOf(`{"${long}a":1,"${long}b":2,"${long}a":3}`)?.message).toContain('more than once');
    // One that is made to be what another stands under.
    expect(errorOf(`{"${long}":1,"${long.slice(0, 16_381)}~1":2}`)?.message).toContain('more than once');
    expect(errorOf(`{"${long.slice(0, 16_381)}~1":1,"${long}":2}`)?.message).toContain('more than once');
  });
});
