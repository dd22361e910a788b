import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAccept } from './accept.ts';
import { negotiate } from './negotiate.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const chosen = (accept: string | undefined) => {
  const { kind, version = '', escaping } = negotiate(accept);
  return `${kind} ${version} ${escaping}`.replace('  ', ' ');
};

/* What real clients send is in test/golden/negotiate. */
describe('a format', () => {
  test('is text 0.0.4 where nothing is asked for', () => {
    const plain = { kind: 'text', version: '0.0.4', escaping: 'underscores', contentType: TEXT };
    for (const accept of [undefined, '', ' ', ',', ', ,', '*/*', 'text/*', 'text/plain'])
      expect(negotiate(accept)).toEqual(plain);
  });

  test('is text 0.0.4 for whatever can not be understood', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (accept) => {
        expect(negotiate(accept).contentType).toBe(TEXT);
      }),
    );
  });

  test('is always one of those offered, however the parts of a header are put together', () => {
    const parts = ['text/plain', 'application/openmetrics-text', '*/*', ';', ',', '=', 'q', '0.5', 'version'];
    const anyHeader = fc
      .array(fc.constantFrom(...parts, '0.0.4', '1.0.0', '"', '\\', ' ', '\t'), { maxLength: 40 })
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(anyHeader, (accept) => {
        expect(negotiate(accept).contentType).toMatch(
          /^(?:text\/plain|application\/openmetrics-text); version=/,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('is found in a header of 16 KiB in little time', () => {
    const began = performance.now();
    for (const piece of [',', ';', '"', '\\', 'a/b;c=d,', 'text/plain;q=0.1,', '"\\', 'a'])
      negotiate(piece.repeat(16_384 / piece.length));
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('a media range', () => {
  test('that can not be read is left out, and the others count', () => {
    expect(parseAccept('text, text/plain;q=2, text/plain;x, */plain, a/b/c, a/b;c="d, e/f;q=0.5')).toEqual(
      [],
    );
    expect(parseAccept('TEXT/Plain ; Version = "0.0.4" ;; Q=0.5 , a/b;c="d\\",e"')).toEqual([
      { type: 'text', subtype: 'plain', parameters: new Map([['version', '0.0.4']]), weight: 0.5 },
      { type: 'a', subtype: 'b', parameters: new Map([['c', 'd",e']]), weight: 1 },
    ]);
  });

  test('of weight 0 excludes, even where a wider one would let in', () => {
    expect(chosen('*/*, text/plain;q=0')).toBe('openmetrics 1.0.0 underscores');
    expect(chosen('text/plain;version=0.0.4;q=0, text/plain;version=1.0.0;q=0.1')).toBe(
      'text 1.0.0 underscores',
    );
    expect(chosen('application/openmetrics-text;q=0, */*;q=0')).toBe('text 0.0.4 underscores');
  });

  test('counts by its weight, unless a more specific one says otherwise', () => {
    expect(chosen('text/*;q=0.9, text/plain;version=0.0.4;q=0.1, application/openmetrics-text;q=0.5')).toBe(
      'text 1.0.0 underscores',
    );
  });

  test('wins over wildcards of the same weight, and then over those behind it', () => {
    expect(chosen('*/*, application/openmetrics-text')).toBe('openmetrics 0.0.1 underscores');
    expect(chosen('text/*, application/openmetrics-text')).toBe('openmetrics 0.0.1 underscores');
    expect(chosen('text/plain;version=1.0.0, text/plain;version=0.0.4')).toBe('text 1.0.0 underscores');
  });
});
