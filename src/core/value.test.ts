import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RefusedError } from './errors.ts';
import { formatSampleValue, parseSampleValue } from './value.ts';

const parse = (text: string) => parseSampleValue('value', text);

describe("a sample's value", () => {
  test.each([
    ['0', 0],
    ['-0', -0],
    ['42', 42],
    ['+42', 42],
    ['.5', 0.5],
    ['5.', 5],
    ['007', 7],
    ['1e9', 1e9],
    ['1E+9', 1e9],
    ['-2.5e-3', -0.0025],
    ['1e-400', 0],
    ['9007199254740993', 2 ** 53],
    ['123456789.123456789', 123456789.12345679],
    ['NaN', Number.NaN],
    ['nan', Number.NaN],
    ['Inf', Infinity],
    ['+Inf', Infinity],
    ['-iNf', -Infinity],
    ['-Infinity', -Infinity],
  ])('is read from %j', (text, value) => {
    expect(parse(text)).toBe(value);
  });

  test.each([
    '',
    ' ',
    ' 1',
    '1 ',
    '1\n',
    'one',
    '1,5',
    '0x10',
    '1_000',
    '--1',
    '+-1',
    '1e',
    'e1',
    '.',
    '-',
    '1.2.3',
    '+NaN',
    'infinit',
    '٣',
    '１',
    '1n',
  ])('is refused as %j, and the error names the field', (text) => {
    expect(() => parse(text)).toThrow(RefusedError);
    expect(() => parse(text)).toThrow(/^value .*is not a number/s);
  });

  test.each(['1e400', '-1e309', '9'.repeat(400)])('beyond a float64 is refused: %s', (text) => {
    expect(() => parse(text)).toThrow(/out of range for a float64/);
  });

  test('is written so that the same bits are read again', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(parse(formatSampleValue(value))).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [Number.NaN, 'NaN'],
    [-0, '-0'],
    [1e21, '1e+21'],
  ])('%s is written %s', (value, text) => {
    expect(formatSampleValue(value)).toBe(text);
  });

  test('of a megabyte is refused at once, so that nobody can keep the server busy with it', () => {
    const began = performance.now();
    for (const text of ['1'.repeat(1e6) + 'x', '.'.repeat(1e6), `1e${'1'.repeat(1e6)}x`])
      expect(() => parse(text)).toThrow(RefusedError);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test.each([' Inf', ' 5'])('says of %j, as a URL makes it, how to write the plus', (text) => {
    expect(() => parse(text)).toThrow(/; in a URL or a form, write \+ as %2B$/);
  });
});
