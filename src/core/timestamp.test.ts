import { describe, expect, it } from 'vitest';
import { RefusedError } from './errors.ts';
import { parseTimestamp } from './timestamp.ts';

describe('parseTimestamp', () => {
  it.each([
    ['1700000000', 1_700_000_000_000],
    ['1700000000.123', 1_700_000_000_123],
    ['1700000000.5', 1_700_000_000_500],
    ['1700000000123', 1_700_000_000_123],
    ['1700000000123.9', 1_700_000_000_123],
    ['0', 0],
    ['2023-11-14T22:13:20Z', 1_700_000_000_000],
    ['2023-11-14T22:13:20.123Z', 1_700_000_000_123],
    ['2023-11-14 23:13:20+01:00', 1_700_000_000_000],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000],
    ['2023-11-14t22:13:20.123456789z', 1_700_000_000_123],
  ])('reads %s', (text, at) => {
    expect(parseTimestamp('__timestamp__', text)).toBe(at);
  });

  it.each([
    '',
    'now',
    '-1',
    '1e9',
    '2023-11-14',
    '2023-11-14T22:13:20',
    '2023-13-14T22:13:20Z',
    '2023-02-29T00:00:00Z',
    '2023-04-31T00:00:00Z',
    '9999999999999999',
    'NaN',
    '0x10',
  ])('refuses %j, and says what it takes', (text) => {
    expect(() => parseTimestamp('__timestamp__', text)).toThrow(RefusedError);
    expect(() => parseTimestamp('__timestamp__', text)).toThrow(/RFC 3339/);
  });
});
