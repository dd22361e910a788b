import { describe, expect, test } from 'vitest';
import { end, event, inLog } from '../../test/golden/entries.ts';
import { collapseLast } from './collapse.ts';

describe('collapsing to the last', () => {
  test('keeps of each series its last event, in the order of their first', () => {
    const entries = inLog(
      event('a', {}, 1),
      event('b', {}, 2),
      event('a', {}, 3),
      event('c', {}, 4),
      event('b', {}, 5),
    );
    expect(collapseLast(entries).map(({ series, value }) => [series, value])).toEqual([
      ['a', 3],
      ['b', 5],
      ['c', 4],
    ]);
  });

  test('leaves out ends, and never lets one hide an event', () => {
    expect(collapseLast(inLog(event('a', {}, 1), end('a'), end('b')))).toMatchObject([
      { kind: 'event', value: 1 },
    ]);
  });

  test('returns the very list where nothing repeats', () => {
    const entries = inLog(event('a'), event('a', { b: 'c' }));
    expect(collapseLast(entries)).toBe(entries);
    expect(collapseLast([])).toEqual([]);
  });
});
