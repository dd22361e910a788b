import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry, NewEntry } from '../core/entry.ts';
import { UnavailableError } from '../core/errors.ts';
import { Share } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { writeSeries } from '../core/series.ts';
import type { Placed } from './timeline.ts';
import { Timeline } from './timeline.ts';
import { trackBytes } from './track.ts';

const RULES = { pulseWidthMs: 60_000, ageMaxMs: 3_000_000, aheadMaxMs: 300_000 };
const series = (n: number) => writeSeries('e', [{ name: 'n', value: String(n) }]);
const event = (n: number, sent?: number) =>
  sent === undefined ? { series: series(n), value: 1 } : { series: series(n), value: 1, sent: millis(sent) };
const logged = (entries: readonly NewEntry[]): Entry[] =>
  entries.map((entry, i) => ({ ...entry, offset: offset(i + 1) }));
/** Kind and time of what was placed, as text: `event 5`. */
const brief = (entries: readonly NewEntry[]) => entries.map(({ kind, time }) => `${kind} ${time}`);

function aTimeline(entries: readonly Entry[] = [], floor = 0): Timeline {
  const timeline = new Timeline(RULES, new Share(Infinity));
  timeline.start(millis(entries.at(-1)?.arrived ?? 0), entries, millis(floor));
  return timeline;
}

const START = 1_000_000_000;

it('G8: whatever the clock and the senders say, the times of a series strictly increase, ends among them, and ends stand right', () => {
  const step = fc.record({
    n: fc.integer({ min: 1, max: 3 }),
    elapsed: fc.integer({ min: -2_000, max: 90_000 }),
    sent: fc.option(fc.integer({ min: -4_000_000, max: 400_000 }), { nil: undefined }),
    ends: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const timeline = aTimeline();
      const log: NewEntry[] = [];
      let now = START;
      for (const { n, elapsed, sent, ends } of steps) {
        now += elapsed;
        log.push(
          ...timeline.place([event(n, sent === undefined ? undefined : now + sent)], millis(now)).entries,
        );
        if (ends) log.push(...timeline.endPulses(millis(now), true).entries);
      }
      let arrivedBefore = 0;
      const latest = new Map<string, NewEntry>();
      for (const entry of log) {
        expect(entry.arrived).toBeGreaterThanOrEqual(arrivedBefore);
        arrivedBefore = entry.arrived;
        const before = latest.get(entry.series);
        if (before !== undefined) expect(entry.time).toBeGreaterThan(before.time);
        // An end follows the latest event of its series by just the width, and an event beyond that follows an end.
        if (entry.kind === 'end') expect(entry.time).toBe((before?.time ?? 0) + RULES.pulseWidthMs);
        // Unless the pulse was so old when it was looked at that its end would have been dropped.
        else if (before?.kind === 'event' && entry.arrived - before.time <= RULES.ageMaxMs) {
          expect(entry.time - before.time).toBeLessThanOrEqual(RULES.pulseWidthMs);
        }
        if (entry.kind === 'event') {
          expect(entry.time).toBeGreaterThanOrEqual(entry.arrived - RULES.ageMaxMs);
        }
        latest.set(entry.series, entry);
      }
    }),
    { numRuns: 2_000 },
  );
});

it('G8: whatever of it a full disk refuses, each pulse in the log ends exactly once it is over', () => {
  const step = fc.record({
    n: fc.integer({ min: 1, max: 2 }),
    what: fc.constantFrom('event', 'events', 'ends'),
    elapsed: fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 70_000 })),
    /** How many of the oldest batches that are on their way learn now what became of them, and what. */
    told: fc.array(fc.boolean(), { maxLength: 3 }),
  });
  const width = RULES.pulseWidthMs;
  const writeMsMax = 5;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const timeline = aTimeline();
      const log: NewEntry[] = [];
      const onItsWay: { placed: Placed; at: number }[] = [];
      let now = START;
      const tell = (isWritten: boolean) => {
        const placed = onItsWay.shift()?.placed;
        if (isWritten) {
          log.push(...(placed?.entries ?? []));
          placed?.written();
        } else placed?.undo();
      };
      for (const { n, what, elapsed, told } of steps) {
        now += elapsed;
        while (now - (onItsWay[0]?.at ?? now) > writeMsMax) tell(elapsed % 2 === 0);
        const placed =
          what === 'ends'
            ? timeline.endPulses(millis(now), true)
            : timeline.place(what === 'event' ? [event(n)] : [event(n), event(n)], millis(now));
        onItsWay.push({ placed, at: now });
        for (const isWritten of told) tell(isWritten);
      }
      while (onItsWay.length > 0) tell(true);
      log.push(...timeline.endPulses(millis(now + 10 * width), true).entries);
      for (const each of [series(1), series(2)]) {
        const of = (wanted: string) =>
          log.filter((entry) => entry.series === each && entry.kind === wanted).map(({ time }) => time);
        const times = of('event');
        expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
        const ends = new Set(of('end'));
        const gaps = times.map(
          (time, i) => [time + width, (times[i + 1] ?? Infinity) - time - width] as const,
        );
        for (const [end, beyond] of gaps) {
          // Where an event in between was refused when the next one was placed already, that one is as good an end.
          if (beyond > writeMsMax) expect(ends).toContain(end);
          if (beyond <= 0) expect(ends).not.toContain(end);
        }
        for (const end of ends) expect(times).toContain(end - width);
      }
    }),
    { numRuns: 2_000 },
  );
});

describe('an event', () => {
  it('alone in its millisecond keeps its arrival', () => {
    const timeline = aTimeline();
    expect(brief(timeline.place([event(1), event(2)], millis(START)).entries)).toEqual([
      `event ${START}`,
      `event ${START}`,
    ]);
  });

  it('that ties with one of its series moves by 1 ms, and is counted', () => {
    const placed = aTimeline().place([event(1), event(1), event(1)], millis(START));
    expect(brief(placed.entries)).toEqual([`event ${START}`, `event ${START + 1}`, `event ${START + 2}`]);
    expect(placed.retimed).toBe(2);
  });

  it.each([
    ['within the limits stays', -1_000, -1_000, 0],
    ['at the age limit stays', -3_000_000, -3_000_000, 0],
    ['too old is moved to the age limit', -3_000_001, -3_000_000, 1],
    ['at the limit ahead stays', 300_000, 300_000, 0],
    ['too far ahead is moved to that limit', 300_001, 300_000, 1],
  ])("with its sender's time %s", (_what, sent, time, retimed) => {
    const placed = aTimeline().place([event(1, START + sent)], millis(START));
    expect(brief(placed.entries)).toEqual([`event ${START + time}`]);
    expect(placed.retimed).toBe(retimed);
  });

  it('inside a pulse extends it', () => {
    const timeline = aTimeline();
    timeline.place([event(1)], millis(START));
    expect(brief(timeline.place([event(1)], millis(START + 60_000)).entries)).toEqual([
      `event ${START + 60_000}`,
    ]);
    expect(timeline.endPulses(millis(START + 119_999), true).entries).toEqual([]);
    expect(brief(timeline.endPulses(millis(START + 120_000), true).entries)).toEqual([
      `end ${START + 120_000}`,
    ]);
  });

  it('after a pulse that nobody has ended yet ends it first', () => {
    const timeline = aTimeline();
    timeline.place([event(1)], millis(START));
    expect(brief(timeline.place([event(1)], millis(START + 60_001)).entries)).toEqual([
      `end ${START + 60_000}`,
      `event ${START + 60_001}`,
    ]);
  });

  it('is never put at or before an end that may have been delivered', () => {
    const timeline = aTimeline();
    timeline.place([event(1)], millis(START));
    timeline.endPulses(millis(START + 61_000), true);
    const placed = timeline.place([event(1, START + 30_000)], millis(START + 62_000));
    expect(brief(placed.entries)).toEqual([`event ${START + 60_001}`]);
    expect(placed.retimed).toBe(1);
  });
});

describe('the end of a pulse', () => {
  it('comes once, at the second after it is over', () => {
    const timeline = aTimeline();
    timeline.place([event(1), event(2)], millis(START + 500));
    expect(timeline.endPulses(millis(START + 60_499), true).entries).toEqual([]);
    expect(timeline.endPulses(millis(START + 61_000), true).entries).toHaveLength(2);
    expect(timeline.endPulses(millis(START + 200_000), true).entries).toEqual([]);
  });

  it('that could not be written comes again', () => {
    const timeline = aTimeline();
    timeline.place([event(1)], millis(START));
    timeline.endPulses(millis(START + 61_000), true).undo();
    expect(brief(timeline.endPulses(millis(START + 63_000), true).entries)).toEqual([
      `end ${START + 60_000}`,
    ]);
  });

  it('costs nothing while nobody wants it, and comes for who is the first to want it', () => {
    const timeline = aTimeline();
    timeline.place([event(1)], millis(START));
    expect(timeline.endPulses(millis(START + 61_000), false).entries).toEqual([]);
    expect(timeline.endPulses(millis(START + 62_000), false).entries).toEqual([]);
    expect(brief(timeline.endPulses(millis(START + 63_000), true).entries)).toEqual([
      `end ${START + 60_000}`,
    ]);
  });

  it('comes in time though an event that extended the pulse could not be written', () => {
    const timeline = aTimeline();
    timeline.place([event(1)], millis(START));
    const extended = timeline.place([event(1)], millis(START + 50_000));
    timeline.endPulses(millis(START + 50_000), true);
    extended.undo();
    expect(timeline.endPulses(millis(START + 59_000), true).entries).toEqual([]);
    expect(brief(timeline.endPulses(millis(START + 60_000), true).entries)).toEqual([
      `end ${START + 60_000}`,
    ]);
    expect(timeline.endPulses(millis(START + 200_000), true).entries).toEqual([]);
  });

  it('is not that of an event that could not be written', () => {
    const timeline = aTimeline();
    timeline.place([event(1)], millis(START)).undo();
    expect(timeline.endPulses(millis(START + 200_000), true).entries).toEqual([]);
  });
});

describe('after a restart (G4)', () => {
  it('a burst that ran ahead of the clock is still above its own times', () => {
    const { entries } = aTimeline().place(
      Array.from({ length: 100 }, () => event(1)),
      millis(START),
    );
    expect(brief(aTimeline(logged(entries)).place([event(1)], millis(START + 10)).entries)).toEqual([
      `event ${START + 100}`,
    ]);
  });

  it('a pulse that was open is ended, one that was ended is not', () => {
    const before = aTimeline();
    const log = [
      ...before.place([event(1), event(2)], millis(START)).entries,
      ...before.place([event(1)], millis(START + 50_000)).entries,
      ...before.endPulses(millis(START + 61_000), true).entries,
    ];
    const after = aTimeline(logged(log));
    const ends = after.endPulses(millis(START + 500_000), true).entries;
    expect(ends.map((end) => [end.series, end.time])).toEqual([[series(1), START + 110_000]]);
  });

  it('what is not remembered is taken to be as late as it may be', () => {
    const { entries } = aTimeline().place([event(1)], millis(START));
    const after = aTimeline(logged(entries), START);
    const [placed] = after.place([event(2, START - 1_000)], millis(START + 1_000_000)).entries;
    expect(placed?.time).toBe(START + 1);
  });
});

it('forgets series that no time can meet again, and holds no more than it needs', () => {
  const timeline = aTimeline();
  for (let n = 0; n < 200_000; n += 1) {
    const now = millis(START + n * 100);
    timeline.place([event(n)], now);
    if (n % 100 === 0) timeline.endPulses(now, true);
  }
  expect(timeline.size).toBeLessThan(70_000);
  const unwanted = aTimeline();
  for (let n = 0; n < 200_000; n += 1) unwanted.place([event(n)], millis(START + n * 100));
  expect(unwanted.size).toBeLessThan(70_000);
});

describe('with more series than are remembered while nobody wants their ends', () => {
  /** 10 new series each ms, for 20 s, and before them one that is ahead, and one that has an event now and then. */
  const busy = (unwantedFor = 200_000) => {
    const timeline = aTimeline();
    timeline.endPulses(millis(START - unwantedFor), false);
    timeline.place([event(-1, START + 200_000)], millis(START));
    for (let n = 0; n < 200_000; n += 1) {
      const events = n % 1_000 === 0 ? [event(-4), event(n)] : [event(n)];
      timeline.place(events, millis(START + Math.floor(n / 10)));
    }
    return timeline;
  };

  it('open pulses are forgotten, too, if nobody did for long, and no event of a new series is moved for it', () => {
    const timeline = busy();
    expect(timeline.size).toBeLessThan(120_000);
    expect(busy(1_000).size).toBe(200_002);
    const now = START + 20_000;
    expect(timeline.place([event(-2)], millis(now)).retimed).toBe(0);
    expect(timeline.place([event(-3, now - 4_000)], millis(now)).retimed).toBe(0);
  });

  it('an event of one that is forgotten is above what it had, and that of one that was ahead is, too', () => {
    const timeline = busy();
    const now = millis(START + 20_000);
    const [forgotten] = timeline.place([event(0, START - 1_000)], now).entries;
    expect(forgotten?.time).toBeGreaterThan(START);
    const [ahead] = timeline.place([event(-1)], now).entries;
    expect(ahead?.time).toBe(START + 200_001);
  });

  it('who wants them then gets those of the pulses that are remembered, and no others', () => {
    const timeline = busy();
    const { size } = timeline;
    const ends = timeline.endPulses(millis(START + 100_000), true).entries;
    // But for the one that was ahead.
    expect(ends).toHaveLength(size - 1);
    expect(timeline.endPulses(millis(START + 400_000), false).entries).toHaveLength(0);
    expect(timeline.endPulses(millis(START + 401_000), true).entries).toHaveLength(1);
  });
});

it('a pulse whose end could not be written is ended later, though its series was forgotten meanwhile', () => {
  const timeline = aTimeline();
  timeline.place([event(-1)], millis(START));
  const ended = timeline.endPulses(millis(START + 61_000), true);
  for (let n = 0; n < 60_000; n += 1) timeline.place([event(n)], millis(START + 70_000));
  ended.undo();
  const ends = timeline.endPulses(millis(START + 71_000), true).entries;
  expect(ends.map(({ series: of, time }) => [of, time])).toEqual([[series(-1), START + 60_000]]);
});

it('series that are refused leave nothing behind, though their pulses are long', () => {
  const timeline = aTimeline();
  timeline.endPulses(millis(START), true);
  timeline.place([event(0)], millis(START)).written();
  for (let round = 1; round <= 3; round += 1) {
    const events = Array.from({ length: 20_000 }, (_, n) => event(round * 20_000 + n));
    timeline.place(events, millis(START + round)).undo();
    expect(timeline.size).toBe(1);
    expect(timeline.listed).toBeLessThan(2_000);
  }
  expect(brief(timeline.endPulses(millis(START + 90_000), true).entries)).toEqual([`end ${START + 60_000}`]);
  expect(timeline.listed).toBe(0);
});

describe('with no more memory than for some series', () => {
  const PLACES = 1_000;
  /** The rest is for those that took little. */
  const PLACES_FOR_ONE = 900;
  const small = (wanted: boolean) => {
    const memory = new Share(PLACES * trackBytes(series(1000)));
    const timeline = new Timeline(RULES, memory);
    timeline.start(millis(0), [], millis(0));
    timeline.endPulses(millis(START), wanted);
    return { timeline, memory };
  };

  it('others are forgotten, recent ones too, and every event is placed', () => {
    const { timeline, memory } = small(false);
    let retimed = 0;
    for (let n = 1000; n < 9000; n += 1)
      retimed += timeline.place([event(n)], millis(START + (n >> 2))).retimed;
    expect(memory.held).toBeLessThanOrEqual(memory.bytesMax);
    expect(timeline.size).toBeLessThanOrEqual(PLACES);
    // Only within the millisecond of what was forgotten.
    expect(retimed).toBeLessThan(4_000);
    const [next] = timeline.place([event(1)], millis(START + 10_000)).entries;
    expect(next?.time).toBe(START + 10_000);
  });

  it('an event of a new series is refused while all pulses have to be ended, and nothing of its batch is placed', () => {
    const { timeline, memory } = small(true);
    for (let n = 1000; n < 1000 + PLACES_FOR_ONE; n += 1) timeline.place([event(n)], millis(START));
    expect(timeline.size).toBe(PLACES_FOR_ONE);
    expect(() => timeline.place([event(1000), event(1001), event(1)], millis(START + 5_000))).toThrow(
      UnavailableError,
    );
    expect(timeline.size).toBe(PLACES_FOR_ONE);
    // What was placed before the one that was refused is as if it had not been: its pulse ends with the others.
    expect(timeline.endPulses(millis(START + 60_000), true).entries).toHaveLength(PLACES_FOR_ONE);
    expect(timeline.place([event(1)], millis(START + 66_000)).entries).toHaveLength(1);
    expect(memory.refused).toBe(1);
  });

  it('events of known series go on', () => {
    const { timeline } = small(true);
    for (let n = 1000; n < 1000 + PLACES_FOR_ONE; n += 1) timeline.place([event(n)], millis(START));
    expect(timeline.place([event(1050)], millis(START + 5_000)).entries).toHaveLength(1);
  });

  it('nobody sets an event ahead: what is ahead could not be forgotten', () => {
    const { timeline, memory } = small(false);
    for (let n = 1000; n < 9000; n += 1) timeline.place([event(n, START + 290_000)], millis(START + n));
    expect(memory.held).toBeLessThanOrEqual(memory.bytesMax);
    const [next] = timeline.place([event(1)], millis(START + 20_000)).entries;
    expect(next?.time).toBe(START + 20_000);
  });
});
