import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../core/entry.ts';
import { millis } from '../core/millis.ts';
import { offset, START } from '../core/offset.ts';
import type { SeriesText } from '../core/series.ts';
import type { Block } from './block.ts';
import { lastArrivedBy, readBlock, writeBlock } from './block.ts';
import { Taken } from './taken.ts';

const ALL = offset(Number.MAX_SAFE_INTEGER);

function anEntry(place: number, given: Partial<Omit<Entry, 'series'>> & { series?: string } = {}): Entry {
  const { series = 'm{a="b"}', ...rest } = given;
  const moment = millis(1_700_000_000_000);
  return {
    offset: offset(place),
    kind: 'event',
    series: series as SeriesText,
    value: 1,
    time: moment,
    arrived: moment,
    ...rest,
  };
}

function read(block: Block, after = START, upTo = ALL): Entry[] {
  const taken = new Taken({ entriesMax: Infinity, bytesMax: Infinity });
  readBlock(block, after, upTo, taken);
  return taken.entries;
}

describe('a block', () => {
  test('is a line for each entry, in which the usual is left out', () => {
    const arrived = millis(1_700_000_000_010);
    const entries = [
      anEntry(5, { arrived: millis(arrived - 3), time: millis(arrived - 2003), value: 0.5 }),
      anEntry(6, { arrived, time: millis(arrived + 1), kind: 'end', value: 0 }),
      anEntry(7, { arrived, time: arrived, series: 'two\nlines 8 m{}' }),
    ];
    const block = writeBlock(entries, 0);
    expect(block).toEqual({
      last: 7,
      count: 3,
      arrived,
      checksum: 836114509,
      text: '8a3t-2000v0.5 m{a="b"}\n8et1v0 m{a="b"}\n15 two\nlines 8 m{}\n',
    });
    expect(read(block)).toEqual(entries);
  });

  test('gives back any entries to the bit', () => {
    const moments = fc.integer({ min: -1e13, max: 1e14 }).map(millis);
    const entry = fc.record({
      kind: fc.constantFrom('event', 'end'),
      series: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('9 m', '\n', ' ', '1 x\n', '')),
      value: fc.oneof(fc.double(), fc.constantFrom(1, -0, 0, Number.NaN, Infinity, -Infinity, 5e-324, 1e21)),
      time: moments,
      arrived: moments,
    });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1 }), fc.integer({ min: 1, max: 2 ** 50 }), (some, first) => {
        const entries = some.map((one, index) => anEntry(first + index, one as Partial<Entry>));
        const again = read(writeBlock(entries, 0));
        expect(again).toEqual(entries);
        expect(again.every(({ value }, index) => Object.is(value, entries[index]?.value))).toBe(true);
      }),
    );
  });

  test('is read from one entry to another', () => {
    const entries = [4, 5, 6, 7].map((place) => anEntry(place, { value: place }));
    const block = writeBlock(entries, 0);
    expect(read(block, offset(4), offset(6))).toEqual(entries.slice(1, 3));
    expect(read(block, offset(7))).toEqual([]);
    expect(read(block, START, offset(3))).toEqual([]);
  });

  test('is read until what takes its entries is full', () => {
    const entries = [4, 5, 6, 7].map((place) =>
      anEntry(place, { series: place === 6 ? 'm{a="я"}' : 'm{a="b"}' }),
    );
    const block = writeBlock(entries, 0);
    // All texts of a block are of one kind: here two bytes a unit.
    for (const [limits, most] of [
      [{ entriesMax: 2, bytesMax: Infinity }, 2],
      [{ entriesMax: 9, bytesMax: 1 }, 1],
      [{ entriesMax: 9, bytesMax: 116 }, 1],
      [{ entriesMax: 9, bytesMax: 117 }, 2],
      [{ entriesMax: 9, bytesMax: 1e9 }, 4],
    ] as const) {
      const taken = new Taken(limits);
      readBlock(block, START, ALL, taken);
      expect(taken.entries).toEqual(entries.slice(0, most));
      expect(taken.isFull).toBe(most < 4);
    }
  });

  test('tells which of its entries was the last to arrive by a time', () => {
    const arrivals = [10, 20, 20, 30].map((ms) => millis(1_700_000_000_000 + ms));
    const block = writeBlock(
      arrivals.map((arrived, index) => anEntry(index + 5, { arrived, value: index })),
      0,
    );
    const found = [9, 10, 19, 20, 29, 30, 99].map((ms) =>
      lastArrivedBy(block, millis(1_700_000_000_000 + ms)),
    );
    expect(found).toEqual([undefined, 5, 5, 7, 7, 8, 8]);
  });

  test('keeps texts apart that are not all of ASCII', () => {
    const entries = ['m{a="ä"}', 'm', 'm{a="\u{1F600}"}', 'm'].map((series, index) =>
      anEntry(index + 1, { series }),
    );
    expect(read(writeBlock(entries, 0))).toEqual(entries);
  });

  test('holds up to a thousand entries', () => {
    const entries = Array.from({ length: 2500 }, (_, index) => anEntry(index + 1));
    const counts = [0, 1000, 2000].map((from) => {
      const { last, count } = writeBlock(entries, from);
      return [last, count];
    });
    expect(counts).toEqual([
      [1000, 1000],
      [2000, 1000],
      [2500, 500],
    ]);
  });

  test('ends with the entry that makes it long, and holds one of any length', () => {
    const quarter = 'x'.repeat(64 * 1024);
    const entries = Array.from({ length: 6 }, (_, index) => anEntry(index + 1, { series: quarter }));
    expect(writeBlock(entries, 0).count).toBe(4);
    expect(writeBlock(entries, 4).count).toBe(2);
    expect(writeBlock([anEntry(1, { series: quarter.repeat(9) }), anEntry(2)], 0).count).toBe(1);
  });

  test.each([
    ['a time', { time: 0.5 as never }],
    ['an arrival', { arrived: 0.5 as never }],
  ])('is not made with %s that is no whole millisecond', (_, given) => {
    expect(() => writeBlock([anEntry(1, given), anEntry(2)], 0)).toThrow(RangeError);
  });

  test.each([
    ['cut', (text: string) => text.slice(0, -1)],
    ['short of a line', (text: string) => text.slice(0, text.indexOf('\n') + 1)],
    ['one character longer', (text: string) => text.replace('m{', 'mm{')],
    ['without a length', (text: string) => text.slice(1)],
    ['of a field that nobody knows', (text: string) => text.replace(' ', 'x1 ')],
    ['with a line too many', (text: string) => `${text}8 m{a="b"}\n`],
    ['empty', () => ''],
  ])('that is %s is reported as damaged', (_, damage) => {
    const { text, ...rest } = writeBlock([anEntry(1), anEntry(2, { value: 2 })], 0);
    expect(() => read({ ...rest, text: damage(text) })).toThrow(/entry \d can't be read: .*damaged/);
  });
});
