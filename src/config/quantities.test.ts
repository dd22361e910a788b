import { describe, expect, it } from 'vitest';
import { DAY, GIB, HOUR, KIB, MIB, MINUTE, SECOND, duration, size } from './quantities.ts';

describe('a duration', () => {
  const type = duration({ min: 0, max: 30 * DAY });

  it.each([
    ['250ms', 250],
    ['10s', 10 * SECOND],
    ['10m', 10 * MINUTE],
    ['1h', HOUR],
    ['7d', 7 * DAY],
    ['1h30m', 90 * MINUTE],
    ['1d2h3m4s5ms', DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5],
    ['0', 0],
  ])('%s is %d ms, and is written so again', (text, value) => {
    expect(type.parse(text)).toBe(value);
    expect(type.format(value)).toBe(text);
  });

  it('may be 90m and 0s, and is written in the shortest way', () => {
    expect(type.format(type.parse('90m'))).toBe('1h30m');
    expect(type.format(type.parse('0s'))).toBe('0');
  });

  it.each(['10', 10])('needs a unit, so %j is refused', (raw) => {
    expect(() => type.parse(raw)).toThrow(
      `must be a duration from 0 to 30d, not ${JSON.stringify(raw)}; add a unit, for example 10s or 10ms`,
    );
  });

  it('needs no unit when it is the number 0', () => {
    expect(type.parse(0)).toBe(0);
  });

  it.each(['', ' 1s', '1.5h', '-5m', '1w', '30m1h', '1m1m', '5 m', '10M', 'm', 1.5, -1, null, true, {}])(
    '%j is refused',
    (raw) => {
      expect(() => type.parse(raw)).toThrow(
        /; write whole numbers with ms, s, m, h or d, largest first, for example 1h30m$/,
      );
    },
  );

  it('keeps to its bounds, both included', () => {
    const bounded = duration({ min: SECOND, max: MINUTE });
    expect([bounded.parse('1s'), bounded.parse('1m')]).toStrictEqual([SECOND, MINUTE]);
    for (const raw of ['999ms', '1m1ms', '0', `${'9'.repeat(400)}d`]) {
      expect(() => bounded.parse(raw)).toThrow(
        /^must be a duration from 1s to 1m, not .*; choose one in this range$/,
      );
    }
  });
});

describe('a size', () => {
  const type = size({ min: 0, max: 16 * GIB });

  it.each([
    ['512B', 512],
    ['64KiB', 64 * KIB],
    ['1MiB', MIB],
    ['2GiB', 2 * GIB],
    ['8MB', 8_000_000],
    ['3GB', 3e9],
    ['0B', 0],
  ])('%s is %d bytes, and is written so again', (text, value) => {
    expect(type.parse(text)).toBe(value);
    expect(type.format(value)).toBe(text);
  });

  it.each([1000, '1000', '1kb', '1KB', '1kB'])('%j is 1000 bytes', (raw) => {
    expect(type.parse(raw)).toBe(1000);
  });

  it.each(['', '1Mi', '1M', '1.5MiB', '-1B', '1 MiB', 'MiB', '1iB', -1, 1.5, null, true, []])(
    '%j is refused',
    (raw) => {
      expect(() => type.parse(raw)).toThrow(
        /; write a whole number with B, KB, KiB, MB, MiB, GB or GiB, for example 64KiB$/,
      );
    },
  );

  it('keeps to its bounds, both included', () => {
    const bounded = size({ min: KIB, max: MIB });
    expect([bounded.parse('1024'), bounded.parse('1MiB')]).toStrictEqual([KIB, MIB]);
    for (const raw of ['1023', '1025KiB', `${'9'.repeat(400)}B`]) {
      expect(() => bounded.parse(raw)).toThrow(
        /^must be a size from 1KiB to 1MiB, not .*; choose one in this range$/,
      );
    }
  });
});
