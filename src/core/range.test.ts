import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { offset } from './offset.ts';
import type { Ranges } from './range.ts';
import { NONE, common, ofOffsets, range, size, union, without } from './range.ts';

/** The naive model: the offsets themselves. */
function members(ranges: Ranges): Set<number> {
  const all = new Set<number>();
  for (const { after, upTo } of ranges) for (let at = after + 1; at <= upTo; at++) all.add(at);
  return all;
}

const anyRanges: fc.Arbitrary<Ranges> = fc
  .array(fc.tuple(fc.nat(40), fc.nat(6)), { maxLength: 8 })
  .map((parts) =>
    parts.reduce<Ranges>(
      (all, [after, length]) => union(all, range(offset(after), offset(after + length))),
      NONE,
    ),
  );

/** In order, none empty, none touching the next. */
function isCanonical(ranges: Ranges): boolean {
  return ranges.every(
    ({ after, upTo }, index) =>
      after < upTo && (index === 0 || (ranges[index - 1]?.upTo ?? Infinity) < after),
  );
}

describe('ranges', () => {
  test('hold the offsets beyond after, up to and with upTo', () => {
    expect([...members(range(offset(2), offset(5)))]).toEqual([3, 4, 5]);
    expect(size(range(offset(2), offset(5)))).toBe(3);
  });

  test('are none where they would be empty', () => {
    expect(range(offset(5), offset(5))).toEqual(NONE);
    expect(range(offset(6), offset(5))).toEqual(NONE);
  });

  test('join their neighbours', () => {
    expect(union(range(offset(0), offset(3)), range(offset(3), offset(5)))).toEqual([{ after: 0, upTo: 5 }]);
  });

  test.each([
    ['union', union, (a: Set<number>, b: Set<number>) => new Set([...a, ...b])],
    ['without', without, (a: Set<number>, b: Set<number>) => new Set([...a].filter((at) => !b.has(at)))],
    ['common', common, (a: Set<number>, b: Set<number>) => new Set([...a].filter((at) => b.has(at)))],
  ] as const)(
    '%s as sets do, stay in canonical form, and leave what they were given alone',
    (_name, operate, model) => {
      fc.assert(
        fc.property(anyRanges, anyRanges, (a, b) => {
          const before = structuredClone([a, b]);
          const result = operate(a, b);
          expect(members(result)).toEqual(model(members(a), members(b)));
          expect(isCanonical(result)).toBe(true);
          expect(size(result)).toBe(members(result).size);
          expect([a, b]).toEqual(before);
        }),
        { numRuns: 3000 },
      );
    },
  );

  test('take time in proportion to how many there are', () => {
    const every = (step: number, from: number) =>
      ofOffsets(Array.from({ length: 50_000 }, (_, n) => offset(from + n * step)));
    const [a, b] = [every(4, 1), every(4, 3)];
    const started = performance.now();
    expect(size(without(a, b))).toBe(50_000);
    expect(common(a, NONE)).toEqual(NONE);
    expect(common(a, b)).toEqual(NONE);
    expect(size(common(union(a, b), b))).toBe(50_000);
    // The product of the two would take many times as long.
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
