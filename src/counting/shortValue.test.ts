import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { SHORT_VALUE_BYTES_MAX, shortValue } from './shortValue.ts';

it('leaves what is short as it is', () => {
  for (const value of ['', 'a', 'x'.repeat(128), 'ü'.repeat(64), '😀'.repeat(32)])
    expect(shortValue(value)).toBe(value);
});

it('cuts what is longer at a character, and tells apart what begins alike', () => {
  const long = 'x'.repeat(4_096);
  expect(shortValue(long)).toMatch(/^x{117}…[0-9a-f]{8}$/);
  expect(shortValue(`${long}1`)).not.toBe(shortValue(`${long}2`));
  // 58 characters of 2 bytes; a half one would have had room.
  expect(shortValue('é'.repeat(65))).toBe(`${'é'.repeat(58)}…${shortValue('é'.repeat(65)).slice(-8)}`);
  // The same in every process.
  expect(shortValue(`x${'y'.repeat(128)}`)).toBe(`x${'y'.repeat(116)}…961b74ea`);
});

it('never makes more than its bytes, nor half a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 20, maxLength: 300 }), (value) => {
      const short = shortValue(value);
      expect(Buffer.byteLength(short)).toBeLessThanOrEqual(SHORT_VALUE_BYTES_MAX);
      expect(short.isWellFormed()).toBe(true);
      expect(shortValue(short)).toBe(short);
    }),
  );
});
