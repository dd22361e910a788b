import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8Bytes } from './utf8.ts';

describe('the length in UTF-8', () => {
  test.each([
    ['', 0],
    ['a', 1],
    ['ü', 2],
    ['漢', 3],
    ['🚀', 4],
  ])('of %j is %i', (text, bytes) => {
    expect(utf8Bytes(text, 0)).toBe(bytes);
  });

  test('tells whether a text is within a limit exactly as encoding it would', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.nat(60), (text, bytesMax) => {
        const exact = Buffer.byteLength(text);
        const told = utf8Bytes(text, bytesMax);
        expect(told > bytesMax ? told : 'within').toBe(exact > bytesMax ? exact : 'within');
      }),
      { numRuns: 2000 },
    );
  });
});
