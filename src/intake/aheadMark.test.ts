import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import type { SeriesText } from '../core/series.ts';
import type { Log } from '../log/log.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { AheadMark } from './aheadMark.ts';
import { readRemembered } from './remembered.ts';

const AHEAD_MAX_MS = 10_000;
const REMEMBERED_MAX = 5;

async function aLog(): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.start();
  return log;
}

/** Appends an event that arrives at a time, in ms, and whose own time lies so far beyond. */
async function append(log: Log, arrived: number, ahead = 0): Promise<void> {
  const entry = { kind: 'event', series: 'e' as SeriesText, value: 1 } as const;
  await log.append([{ ...entry, time: millis(arrived + ahead), arrived: millis(arrived) }]);
}

const remembered = (log: Log, mark: AheadMark) =>
  readRemembered(log, mark, { entriesMax: REMEMBERED_MAX, bytesMax: 1e6 }, AHEAD_MAX_MS);

/** Offsets that are read of a log from now on. */
function readsOf(log: Log): number[] {
  const read = log.read.bind(log);
  const offsets: number[] = [];
  log.read = async (...args) => {
    const result = await read(...args);
    offsets.push(...result.entries.map((entry) => entry.offset));
    return result;
  };
  return offsets;
}

describe('a start', () => {
  test('G8: finds the same, whatever was marked, saved, trimmed, and however often it was started before', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          elapsed: fc.constantFrom(0, 1, 400, 2_000),
          ahead: fc.constantFrom(-5_000, 0, 0, 0, 1, 400, 501, 3_000, 9_999),
        }),
      },
      fc.constantFrom('save', 'trim', 'start'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const log = await aLog();
        let mark = new AheadMark(log);
        await remembered(log, mark);
        let now = 1_000_000;
        for (const each of steps) {
          if (typeof each === 'object') {
            now += each.elapsed;
            await append(log, now, each.ahead);
          } else if (each === 'save') await mark.save();
          else if (each === 'trim') await log.trim(offset(Math.floor(log.state().end / 3)));
          else {
            mark = new AheadMark(log);
            await remembered(log, mark);
          }
        }
        const found = await remembered(log, new AheadMark(log));
        await log.saveNote('ahead_mark', '');
        expect(found).toEqual(await remembered(log, new AheadMark(log)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('reads nothing of what the mark vouches for', async () => {
    const log = await aLog();
    const mark = new AheadMark(log);
    await remembered(log, mark);
    for (let n = 1; n <= 100; n += 1) await append(log, n * 100, n === 20 ? 9_000 : 0);
    await mark.save();
    for (let n = 101; n <= 103; n += 1) await append(log, n * 100);
    const offsets = readsOf(log);
    const { entries } = await remembered(log, new AheadMark(log));
    // Up to the one that was ahead, those that arrived shortly before the newest, and the newest.
    expect(offsets.toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: 20 }, (_, i) => i + 1),
      ...Array.from({ length: 9 }, (_, i) => i + 95),
    ]);
    expect(entries.map((entry) => entry.offset)).toEqual([20, 99, 100, 101, 102, 103]);
  });

  test.each([
    '',
    'null',
    '{}',
    '{"last":1}',
    '{"last":-1,"upTo":2}',
    '{"last":"1","upTo":"2"}',
    '{"last":2,"upTo":1}',
    '{"last":1,"upTo":3}',
    '{"last":9007199254740991,"upTo":9007199254740991}',
  ])('goes without a note that says nothing of use: %s', async (note) => {
    const log = await aLog();
    await append(log, 1);
    await append(log, 2);
    await log.saveNote('ahead_mark', note);
    expect(await new AheadMark(log).load()).toEqual({ last: 0, upTo: 0 });
  });
});

test('a mark that did not move is not saved again', async () => {
  const log = await aLog();
  const mark = new AheadMark(log);
  await remembered(log, mark);
  await append(log, 1, 1_000);
  const saved: string[] = [];
  log.saveNote = async (_key, text) => void saved.push(text);
  await mark.save();
  await mark.save();
  expect(saved).toEqual(['{"last":1,"upTo":1}']);
});
