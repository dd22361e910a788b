import type { ValueType } from './valueTypes.ts';
import { refused, wholeNumber } from './valueTypes.ts';

/** The bounds of a quantity, both included: milliseconds for a duration, bytes for a size. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** A text of more than 2^29 characters can't be built in V8, and a body becomes one. */
export const BODY_MAX = 256 * MIB;

/** The same units in the same order as Prometheus' own durations, without weeks and years, whose length people disagree about. */
const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const DURATION_UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
] as const;

/** A span of time, in milliseconds: `250ms`, `10s`, `1h30m`, `7d`, `0`. Only 0 needs no unit, since 0 of anything is the same. */
export function duration({ min, max }: Bounds): ValueType<number> {
  const rule = `a duration from ${formatDuration(min)} to ${formatDuration(max)}`;
  return {
    placeholder: '<duration>',
    parse(raw) {
      const bare = wholeNumber(raw);
      if (bare !== undefined && bare !== 0)
        throw refused(rule, raw, `add a unit, for example ${bare}s or ${bare}ms`);
      const value = bare ?? parseDuration(raw);
      if (value === undefined)
        throw refused(
          rule,
          raw,
          'write whole numbers with ms, s, m, h or d, largest first, for example 1h30m',
        );
      if (value < min || value > max) throw refused(rule, raw, 'choose one in this range');
      return value;
    },
    format: formatDuration,
  };
}

function parseDuration(raw: unknown): number | undefined {
  const counts = typeof raw === 'string' && raw !== '' ? DURATION.exec(raw)?.slice(1) : undefined;
  return counts?.reduce((sum, count, i) => sum + Number(count ?? 0) * (DURATION_UNITS[i]?.[1] ?? 0), 0);
}

function formatDuration(value: number): string {
  let rest = value;
  let text = '';
  for (const [unit, length] of DURATION_UNITS) {
    const count = Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return text === '' ? '0' : text;
}

const SIZE = /^(\d+)([kmg]?i?b)$/i;
/** Powers of 1024 first: where a size can be written both ways, that is what people expect of memory. */
const SIZE_UNITS = [
  ['GiB', GIB],
  ['MiB', MIB],
  ['KiB', KIB],
  ['GB', 1e9],
  ['MB', 1e6],
  ['KB', 1e3],
  ['B', 1],
] as const;

/** A size, in bytes: `512B`, `64KiB`, `1MiB`, `8MB` (units in any case), or a bare number of bytes. */
export function size({ min, max }: Bounds): ValueType<number> {
  const rule = `a size from ${formatSize(min)} to ${formatSize(max)}`;
  return {
    placeholder: '<size>',
    parse(raw) {
      const value = wholeNumber(raw) ?? parseSize(raw);
      if (value === undefined)
        throw refused(
          rule,
          raw,
          'write a whole number with B, KB, KiB, MB, MiB, GB or GiB, for example 64KiB',
        );
      if (value < min || value > max) throw refused(rule, raw, 'choose one in this range');
      return value;
    },
    format: formatSize,
  };
}

function parseSize(raw: unknown): number | undefined {
  const [, count, unit] = (typeof raw === 'string' ? SIZE.exec(raw) : null) ?? [];
  const length = SIZE_UNITS.find(([name]) => name.toLowerCase() === unit?.toLowerCase())?.[1];
  return length === undefined ? undefined : Number(count) * length;
}

function formatSize(value: number): string {
  const [unit, length] = SIZE_UNITS.find(([, each]) => value >= each && value % each === 0) ?? ['B', 1];
  return `${value / length}${unit}`;
}
