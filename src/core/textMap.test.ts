import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HASHED_UNITS_MAX, TextMap } from './textMap.ts';

const MAX = HASHED_UNITS_MAX;
/** Texts around the lengths at which pieces end, some of which begin with others. */
const TEXTS = [
  ...[0, 1, MAX - 1, MAX, MAX + 1, MAX * 2 - 1, MAX * 2, MAX * 2 + 1, MAX * 3].map((length) =>
    'a'.repeat(length),
  ),
  'b'.repeat(MAX * 2),
  `${'a'.repeat(MAX * 2)}b`,
  `${'a'.repeat(MAX)}b${'a'.repeat(MAX)}`,
  `${'a'.repeat(MAX * 2 - 1)}ü`,
  `${'a'.repeat(MAX * 2 - 1)}日`,
];

/** The same text, made anew. */
const copyOf = (text: string): string => Buffer.from(text).toString();

describe('a map by texts of any length', () => {
  test('does what a Map does, in its order', () => {
    const text = fc.constantFrom(...TEXTS).map(copyOf);
    const command = fc.oneof(
      fc.tuple(fc.constant('set' as const), text),
      fc.tuple(fc.constant('delete' as const), text),
      fc.tuple(fc.constant('clear' as const), fc.constant('')),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const map = new TextMap<number>();
        const model = new Map<string, number>();
        for (const [place, [how, key]] of commands.entries()) {
          if (how === 'set') {
            map.set(key, place);
            model.set(key, place);
          } else if (how === 'delete') expect(map.delete(key)).toBe(model.delete(key));
          else {
            map.clear();
            model.clear();
          }
          expect(map.size).toBe(model.size);
        }
        for (const one of TEXTS) {
          expect(map.has(one)).toBe(model.has(one));
          expect(map.get(one)).toBe(model.get(one));
        }
        expect([...map.values()]).toEqual([...model.values()]);
        expect([...map.entries()].every(([key, value]) => model.get(key) === value)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('tells apart two texts of one length that differ in one character, wherever that is', () => {
    const map = new TextMap<number>();
    const texts = Array.from({ length: 40 }, (_, n) => {
      const place = n * Math.floor((MAX * 2) / 40);
      return `${'x'.repeat(place)}!${'x'.repeat(MAX * 2 - place)}`;
    });
    for (const [n, text] of texts.entries()) map.set(text, n);
    expect(texts.map((text) => map.get(copyOf(text)))).toEqual(texts.map((_, n) => n));
  });
});
