import { describe, expect, test } from 'vitest';
import { Harness } from '../../test/support/harness.ts';
import { SeriesLimitError } from '../core/errors.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import type { SeriesRules } from './seriesCap.ts';
import { SeriesCap } from './seriesCap.ts';

const HOUR = 3_600_000;
const AT = (hours: number): Millis => millis(Math.floor(1_700_000_000_000 / HOUR) * HOUR + hours * HOUR);

function aCap(rules: Partial<SeriesRules> = {}) {
  const cap = new SeriesCap({ perHourMax: 2, overflow: 'refuse', metric: 'all', ...rules });
  return {
    cap,
    /** The series that it becomes, or how many seconds to wait. */
    admit: (series: string, now = AT(0)): string | number => {
      const admission = cap.admit(series as SeriesText, now);
      return 'refused' in admission ? admission.refused.retryAfterSeconds : admission.series;
    },
  };
}

describe('the cap of new series', () => {
  test('lets so many in within an hour, and those again as often as they come', () => {
    const { admit } = aCap();
    expect(['a', 'b', 'a', 'b'].map((series) => admit(series))).toEqual(['a', 'b', 'a', 'b']);
    expect(admit('c', millis(AT(0) + 60_000))).toBe(3540);
    expect(admit('a')).toBe('a');
  });

  test('begins anew with each hour, and series of the last one are not new', () => {
    const { admit } = aCap();
    for (const series of ['a', 'b']) admit(series);
    expect(['c', 'd', 'a', 'b', 'e'].map((series) => admit(series, AT(1)))).toEqual([
      'c',
      'd',
      'a',
      'b',
      3600,
    ]);
    expect(['a', 'b', 'c', 'd'].map((series) => admit(series, AT(2)))).toEqual(['a', 'b', 'c', 'd']);
    expect(['a', 'b', 'c'].map((series) => admit(series, AT(4)))).toEqual(['a', 'b', 3600]);
  });

  test('is not begun anew by a clock that is set back', () => {
    const { admit } = aCap();
    admit('a', AT(1));
    admit('b', AT(1));
    expect(admit('c', AT(0))).toBeTypeOf('number');
    // Nor does it keep anything out for longer than an hour.
    expect(admit('c', AT(1))).toBeTypeOf('string');
  });

  test('remembers a bounded number of series, whatever comes', () => {
    const { admit } = aCap({ perHourMax: 1 });
    for (let hour = 0; hour < 20; hour += 1) {
      for (let n = 0; n <= hour; n += 1)
        expect(admit(`s${n}`, AT(hour))).toBeTypeOf(n <= 8 ? 'string' : 'number');
    }
  });

  test('forgets series that were let in for nothing', () => {
    const { cap, admit } = aCap();
    admit('a');
    admit('b');
    cap.takeBack(['b' as SeriesText, 'unknown' as SeriesText]);
    expect(['c', 'd', 'a'].map((series) => admit(series))).toEqual(['c', 3600, 'a']);
  });

  test('set to 0 lets everything in', () => {
    const { admit } = aCap({ perHourMax: 0 });
    for (let n = 0; n < 1000; n += 1) expect(admit(`s${n}`)).toBe(`s${n}`);
  });

  test('folds what is too much into one series of its metric', () => {
    const { admit } = aCap({ perHourMax: 1, overflow: 'fold' });
    expect(admit('m{a="1"}')).toBe('m{a="1"}');
    expect(admit('m{a="2"}')).toBe('m{overflow="true"}');
    expect(admit('{"n.o",a="2"}')).toBe('{"n.o",overflow="true"}');
  });

  test('folds into the default metric where too many metrics are made up', () => {
    const { admit } = aCap({ perHourMax: 1, overflow: 'fold' });
    admit('first');
    const folded = new Set(Array.from({ length: 1000 }, (_, n) => admit(`m${n}`)));
    expect(folded.size).toBe(101);
    expect(folded).toContain('all{overflow="true"}');
    expect(admit('m5{a="b"}')).toBe('m5{overflow="true"}');
  });
});

describe('events beyond the cap', () => {
  async function aHarness(overflow: 'refuse' | 'fold'): Promise<Harness> {
    const log = new MemoryLog();
    const relay = new Harness(log, { perHourMax: 2, overflow });
    await log.start();
    await relay.start(['a']);
    return relay;
  }
  const BATCH = ['1', '2', '3'].map((n) => ({ n, id: `id ${n}` }));

  test('are refused with all of their batch, none of which is remembered', async () => {
    const relay = await aHarness('refuse');
    await expect(relay.postBatch(BATCH, 'request')).rejects.toThrow(SeriesLimitError);
    await expect(relay.postBatch(BATCH)).rejects.toMatchObject({ field: '[2].labels' });
    expect(await relay.delivered('a')).toEqual([]);
    expect(await relay.postBatch([{ n: '4' }, { n: '3', id: 'id 3' }], 'request')).toMatchObject({
      accepted: 2,
    });
    expect(relay.counts).toMatchObject({ accepted: 2, seriesOverflow: { refused: 2, folded: 0 } });
  });

  test('are refused alone where the others may be stored without them', async () => {
    const relay = await aHarness('refuse');
    const { accepted, outcomes } = await relay.postBatch(BATCH, undefined, true);
    expect(accepted).toBe(2);
    expect(outcomes).toEqual(['accepted', 'accepted', expect.any(SeriesLimitError)]);
    expect((await relay.postBatch(BATCH, undefined, true)).outcomes.slice(0, 2)).toEqual([
      'duplicate',
      'duplicate',
    ]);
  });

  test('are folded, counted, and known by their ids', async () => {
    const relay = await aHarness('fold');
    expect(await relay.postBatch(BATCH)).toMatchObject({ accepted: 3 });
    expect(await relay.postBatch(BATCH)).toMatchObject({ accepted: 0, duplicates: 3 });
    expect(relay.counts.seriesOverflow).toEqual({ refused: 0, folded: 1 });
    const { entries } = await relay.scrape('a');
    expect(entries.map(({ series }) => series)).toEqual(['e{n="1"}', 'e{n="2"}', 'e{overflow="true"}']);
  });

  test('are told from those whose series was there before a restart', async () => {
    const relay = await aHarness('refuse');
    await relay.postBatch([{ n: '1' }, { n: '2' }]);
    await relay.start();
    expect(await relay.postBatch([{ n: '1' }, { n: '2' }, { n: '3' }, { n: '4' }])).toMatchObject({
      accepted: 4,
    });
    await expect(relay.postBatch([{ n: '5' }])).rejects.toThrow('series.perHourMax');
  });
});
