import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../core/errors.ts';
import { writeSeries } from '../core/series.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import type { Log } from '../log/log.ts';
import { NoteLostError } from '../log/notes.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { EventCounters } from './counters.ts';
import { turnsDuring } from '../../test/support/eventLoop.ts';

const RULES = { labels: ['type', 'env'], seriesMax: 3, countersBytesMax: 1 << 20 };

async function append(
  log: Log,
  metric: string,
  labels: Record<string, string>,
  count = 1,
  arrived = 1,
): Promise<void> {
  const series = writeSeries(
    metric,
    Object.entries(labels).map(([name, value]) => ({ name, value })),
  );
  const entry = { kind: 'event', series, value: 9, time: millis(1), arrived: millis(arrived) } as const;
  await log.append(Array.from({ length: count }, () => entry));
}

async function started(log: Log, rules = RULES): Promise<EventCounters> {
  const counters = new EventCounters(log, rules);
  await counters.start();
  return counters;
}

const told = (counters: EventCounters) =>
  Object.fromEntries(
    [...counters.all()].map(({ labels, value }) => [
      labels.map(({ name, value: text }) => `${name}=${text}`).join(),
      value,
    ]),
  );

async function aLog(): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.start();
  return log;
}

describe('the cumulative counters', () => {
  it('count events by the configured labels and the metric, whatever else they carry', async () => {
    const log = await aLog();
    const counters = await started(log);
    await append(log, 'deploys', { type: 'a', env: 'prod', build: '1' });
    await append(log, 'deploys', { type: 'a', env: 'prod', build: '2' });
    await append(log, 'deploys', { type: 'a' });
    await append(log, 'backups', { type: 'a' });
    expect(told(counters)).toEqual({
      'env=prod,metric=deploys,type=a': 2,
      'metric=deploys,type=a': 1,
      'metric=backups,type=a': 1,
    });
  });

  it('count everything beyond their number in one series', async () => {
    const log = await aLog();
    const counters = await started(log);
    for (const type of ['a', 'b', 'c', 'd', 'e', 'd']) await append(log, 'm', { type });
    await append(log, 'm', { type: 'a' });
    expect(told(counters)).toEqual({
      'metric=m,type=a': 2,
      'metric=m,type=b': 1,
      'metric=m,type=c': 1,
      'env=other,metric=other,type=other': 3,
    });
  });

  it('name no label twice, though the configuration does', async () => {
    const log = await aLog();
    const counters = await started(log, {
      labels: ['type', 'type'],
      seriesMax: 1,
      countersBytesMax: 1 << 20,
    });
    for (const type of ['a', 'b']) await append(log, 'm', { type });
    expect(told(counters)).toEqual({ 'metric=m,type=a': 1, 'metric=other,type=other': 1 });
  });

  it('keep apart what reads alike, and take an empty label for none', async () => {
    const log = await aLog();
    const counters = await started(log, { labels: ['a', 'b'], seriesMax: 10, countersBytesMax: 1 << 20 });
    await append(log, 'm', { a: 'x",b="y' });
    await append(log, 'm', { a: 'x', b: 'y' });
    await append(log, 'm', {});
    await append(log, 'm', { c: 'z' });
    expect(told(counters)).toEqual({ 'a=x",b="y,metric=m': 1, 'a=x,b=y,metric=m': 1, 'metric=m': 2 });
  });

  it('stay right however many and however long the series are', async () => {
    const log = await aLog();
    const counters = await started(log);
    const long = 'x'.repeat(100_000);
    for (let n = 0; n < 100; n += 1)
      await append(log, 'm', { type: n % 2 === 0 ? 'a' : 'b', n: `${n}${long}` });
    expect(told(counters)).toEqual({ 'metric=m,type=a': 50, 'metric=m,type=b': 50 });
  });

  it('show values, and the metric, cut to what every store takes, told apart by a hash', async () => {
    const log = await aLog();
    const counters = await started(log);
    const long = 'x'.repeat(4_096);
    await append(log, `m${long.slice(0, 200)}`, { type: `${long}1` }, 2);
    await append(log, `m${long.slice(0, 200)}`, { type: `${long}2` }, 3);
    const values = [...counters.all()].flatMap(({ labels }) => labels.map(({ value }) => value));
    expect(values.map((value) => Buffer.byteLength(value))).toEqual([128, 128, 128, 128]);
    expect(new Set(values).size).toBe(3);
    expect(Object.values(told(counters))).toEqual([2, 3]);
  });

  it('take no more than their bytes, and count the rest in one series', async () => {
    const log = await aLog();
    const counters = await started(log, { labels: ['type'], seriesMax: 1_000, countersBytesMax: 10_000 });
    for (let n = 0; n < 300; n += 1) await append(log, 'm', { type: `${n}${'"'.repeat(200)}` });
    const all = Object.entries(told(counters));
    expect(all.length).toBeGreaterThan(25);
    expect(all.length).toBeLessThan(40);
    expect(all.at(-1)).toEqual(['metric=other,type=other', 301 - all.length]);
  });

  it('tell since when each counts, over restarts, too', async () => {
    const log = await aLog();
    const counters = await started(log);
    await append(log, 'm', { type: 'a' }, 1, 1_000);
    await append(log, 'm', { type: 'b' }, 2, 2_000);
    await append(log, 'm', { type: 'a' }, 1, 3_000);
    const since = (of: EventCounters) => [...of.all()].map((each) => each.since);
    expect(since(counters)).toEqual([1_000, 2_000]);
    await counters.save();
    await append(log, 'm', { type: 'c' }, 1, 4_000);
    await append(log, 'm', { type: 'b' }, 1, 5_000);
    expect(since(await started(log))).toEqual([1_000, 2_000, 4_000]);
  });

  it('do not count the ends of pulses', async () => {
    const log = await aLog();
    const counters = await started(log);
    await log.append([
      { kind: 'end', series: writeSeries('m', []), value: 0, time: millis(1), arrived: millis(1) },
    ]);
    expect(told(counters)).toEqual({});
  });
});

describe('after a restart (G4)', () => {
  it('they go on exactly, saved or not', async () => {
    const log = await aLog();
    const before = await started(log);
    await append(log, 'm', { type: 'a' }, 30);
    await before.save();
    await append(log, 'm', { type: 'a' }, 12);
    expect(told(await started(log))).toEqual({ 'metric=m,type=a': 42 });
  });

  it('and though what they counted was trimmed', async () => {
    const log = await aLog();
    const before = await started(log);
    await append(log, 'm', { type: 'a' }, 30);
    await before.saveBeforeTrim(offset(20));
    await log.trim(offset(20));
    await append(log, 'm', { type: 'a' }, 5);
    expect(told(await started(log))).toEqual({ 'metric=m,type=a': 35 });
  });

  it('whatever was counted, saved and trimmed before, and however often', async () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ append: fc.constantFrom('a', 'b', 'c', 'd', 'e'), count: fc.nat(4) }),
      },
      fc.constantFrom('save', 'trim', 'restart'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const [log, control] = [await aLog(), await aLog()];
        const unbroken = await started(control);
        let counters = await started(log);
        for (const each of steps) {
          if (typeof each === 'object') {
            for (const to of [log, control]) await append(to, 'm', { type: each.append }, each.count);
          } else if (each === 'save') await counters.save();
          else if (each === 'restart') counters = await started(log);
          else {
            const { trimmed, end } = log.state();
            const upTo = offset(Math.ceil((trimmed + end) / 2));
            await counters.saveBeforeTrim(upTo);
            await log.trim(upTo);
          }
        }
        expect(told(await started(log))).toEqual(told(unbroken));
      }),
    );
  });

  it('and count in one what there is no room for by now, since the first of them', async () => {
    const log = await aLog();
    const counts = ['a', 'b', 'c', 'd'].map((type, i) => [
      `events_to_metrics_events_total{metric="m",type="${type}"}`,
      2 ** i,
      1_000 - i,
    ]);
    await log.saveNote('event_counters', JSON.stringify({ upTo: 0, counts }));
    const counters = await started(log, { ...RULES, seriesMax: 2, labels: ['type'] });
    expect(told(counters)).toEqual({
      'metric=m,type=a': 1,
      'metric=m,type=b': 2,
      'metric=other,type=other': 12,
    });
    expect([...counters.all()].at(-1)?.since).toBe(997);
  });

  it('and write a snapshot only where one is needed', async () => {
    const log = await aLog();
    const counters = await started(log);
    const saved: string[] = [];
    const save = log.saveNote.bind(log);
    log.saveNote = async (key, text) => {
      saved.push(text);
      await save(key, text);
    };
    await counters.save();
    await append(log, 'm', {}, 10);
    await counters.saveBeforeTrim(offset(4));
    await counters.saveBeforeTrim(offset(10));
    await counters.save();
    expect(saved).toHaveLength(1);
  });

  it('and other labels begin beside the old counters, which keep what they counted', async () => {
    const log = await aLog();
    const before = await started(log, { labels: ['type'], seriesMax: 3, countersBytesMax: 1 << 20 });
    await append(log, 'm', { type: 'a', env: 'x' }, 2);
    await before.save();
    const counters = await started(log, { labels: ['env'], seriesMax: 3, countersBytesMax: 1 << 20 });
    await append(log, 'm', { type: 'a', env: 'x' });
    expect(told(counters)).toEqual({ 'metric=m,type=a': 2, 'env=x,metric=m': 1 });
  });

  it.each([
    '',
    'null',
    '{}',
    '{"upTo":1',
    '{"upTo":"1","counts":[]}',
    '{"upTo":1,"counts":[[1,1]]}',
    '{"upTo":1,"counts":[["m{}","1"]]}',
  ])('begin at 0 again where the snapshot is damaged, and say so: %s', async (note) => {
    const log = await aLog();
    await append(log, 'm', { type: 'a' }, 5);
    await log.saveNote('event_counters', note);
    const counters = new EventCounters(log, RULES);
    expect(await counters.start()).toBe(true);
    expect(told(counters)).toEqual({});
    await append(log, 'm', { type: 'a' }, 2);
    expect(told(counters)).toEqual({ 'metric=m,type=a': 2 });
    const again = new EventCounters(log, RULES);
    expect(await again.start()).toBe(false);
    expect(told(again)).toEqual({ 'metric=m,type=a': 2 });
  });

  it('begin at 0 again where the snapshot is lost', async () => {
    const log = await aLog();
    await append(log, 'm', { type: 'a' }, 5);
    log.loadNote = async () => {
      throw new NoteLostError('it was damaged');
    };
    const counters = new EventCounters(log, RULES);
    // The log has told it.
    expect(await counters.start()).toBe(false);
    await append(log, 'm', { type: 'a' }, 2);
    expect(told(counters)).toEqual({ 'metric=m,type=a': 2 });
  });

  it('count what comes, and save it, though the snapshot speaks of more than the log has', async () => {
    const log = await aLog();
    await append(log, 'm', { type: 'a' }, 5);
    const counts = [['events_to_metrics_events_total{metric="m",type="a"}', 7, 1]];
    await log.saveNote('event_counters', JSON.stringify({ upTo: Number.MAX_SAFE_INTEGER, counts }));
    const counters = await started(log);
    expect(told(counters)).toEqual({ 'metric=m,type=a': 7 });
    await append(log, 'm', { type: 'a' }, 2);
    await counters.saveBeforeTrim(offset(7));
    await log.trim(offset(7));
    await append(log, 'm', { type: 'a' }, 1);
    expect(told(await started(log))).toEqual({ 'metric=m,type=a': 10 });
  });

  it.each([
    ['a count', '["events_to_metrics_events_total{metric=\\"m\\"}",-1,1]'],
    ['a moment', '["events_to_metrics_events_total{metric=\\"m\\"}",1,9007199254740991]'],
    ['a label twice', '["events_to_metrics_events_total{metric=\\"m\\",metric=\\"m\\"}",1,1]'],
    ['a name that needs quotes', '["events_to_metrics_events_total{me ric=\\"m\\"}",1,1]'],
    ['no series', '["events_to_metrics_events_total{metric=\\"m",1,1]'],
    ['no name', '["{metric=\\"m\\"}",1,1]'],
    ['no list', '7'],
  ])('begin at 0 again where the snapshot makes no sense: %s', async (_, counter) => {
    const log = await aLog();
    await append(log, 'm', { type: 'a' }, 5);
    await log.saveNote('event_counters', `{"upTo":5,"counts":[${counter}]}`);
    const counters = new EventCounters(log, RULES);
    expect(await counters.start()).toBe(true);
    expect(told(counters)).toEqual({});
  });

  it('and count a long log again in parts', async () => {
    const log = await aLog();
    await append(log, 'm', { type: 'a' }, 25_001);
    expect(told(await started(log))).toEqual({ 'metric=m,type=a': 25_001 });
  });
});

describe('a reset', () => {
  it('forgets all series, which begin again at 0, and there is room for others', async () => {
    const log = await aLog();
    const counters = await started(log);
    for (const type of ['a', 'b', 'c', 'd']) await append(log, 'm', { type }, 5);
    await counters.reset();
    expect(told(counters)).toEqual({});
    await append(log, 'm', { type: 'd' });
    await append(log, 'm', { type: 'a' });
    expect(told(counters)).toEqual({ 'metric=m,type=d': 1, 'metric=m,type=a': 1 });
  });

  it('holds over a restart (G4)', async () => {
    const log = await aLog();
    const counters = await started(log);
    await append(log, 'm', { type: 'a' }, 5);
    await counters.reset();
    await append(log, 'm', { type: 'b' });
    expect(told(await started(log))).toEqual({ 'metric=m,type=b': 1 });
  });

  it('changes nothing where it can not be saved', async () => {
    const log = await aLog();
    const counters = await started(log);
    await append(log, 'm', { type: 'a' }, 5);
    const full = new UnavailableError('log_full', 'full', 5);
    log.saveNote = () => Promise.reject(full);
    await expect(counters.reset()).rejects.toThrow(full);
    await append(log, 'm', { type: 'a' });
    expect(told(counters)).toEqual({ 'metric=m,type=a': 6 });
  });
});

it('a start that counts a long log lets health checks be answered meanwhile', async () => {
  const log = new MemoryLog();
  await log.start();
  await append(log, 'e', { type: 'deploy' }, 35_000);
  const counters = new EventCounters(log, RULES);
  expect(await turnsDuring(() => counters.start())).toBeGreaterThanOrEqual(3);
  expect([...counters.all()].map(({ value }) => value)).toContain(35_000);
});
