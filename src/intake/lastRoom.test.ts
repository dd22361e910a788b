import { expect, it } from 'vitest';
import { Share } from '../core/memory.ts';
import { millis } from '../core/millis.ts';
import { writeSeries } from '../core/series.ts';
import { Timeline } from './timeline.ts';
import { trackBytes } from './track.ts';

const RULES = { pulseWidthMs: 60_000, ageMaxMs: 3_000_000, aheadMaxMs: 300_000 };
const PLACES = 1_000;
/** The last tenth is for clients that took little, which is ten. */
const PLACES_FOR_ONE = 900;
const START = 1_000_000_000;
const FLOODER = '192.0.2.66';

const event = (n: number) => ({ series: writeSeries('e', [{ name: 'n', value: String(n) }]), value: 1 });

/** Posts events of new series, one each, and tells how many were placed. */
function place(timeline: Timeline, from: number, count: number, now: number, client: string): number {
  let placed = 0;
  for (let n = from; n < from + count; n += 1) {
    try {
      timeline.place([event(n)], millis(now), { client });
      placed += 1;
    } catch {
      // What matters is how many were placed.
    }
  }
  return placed;
}

/** One whose ends are wanted, so that no pulse may be forgotten, after one client made as many series as it could. */
function flooded() {
  const memory = new Share(PLACES * trackBytes(event(1000).series));
  const timeline = new Timeline(RULES, memory);
  timeline.start(millis(0), [], millis(0));
  timeline.endPulses(millis(START), true);
  const placed = place(timeline, 1000, 2000, START, FLOODER);
  return { timeline, memory, placed };
}

it('the last tenth is left for others, of whom each gets a hundredth of the whole', () => {
  const { timeline, memory, placed } = flooded();
  expect(placed).toBe(PLACES_FOR_ONE);
  expect(place(timeline, 4000, 50, START, '192.0.2.1')).toBe(10);
  expect(place(timeline, 5000, 50, START, '192.0.2.2')).toBe(10);
  expect(place(timeline, 6000, 50, START + 1, FLOODER)).toBe(0);
  expect(memory.held).toBeLessThanOrEqual(memory.bytesMax);
});

it('a batch counts whole, and one that is refused counts as nothing', () => {
  const { timeline } = flooded();
  const sender = { client: '192.0.2.1' };
  const eleven = Array.from({ length: 11 }, (_, i) => event(4000 + i));
  expect(() => timeline.place(eleven, millis(START), sender)).toThrow('memory.max');
  expect(timeline.place(eleven.slice(1), millis(START), sender).entries).toHaveLength(10);
});

it('many that take a little each take no more than there is', () => {
  const { timeline, memory } = flooded();
  let placed = 0;
  for (let n = 0; n < 50; n += 1) placed += place(timeline, 4000 + n * 10, 10, START, `192.0.2.${n}`);
  expect(placed).toBe(PLACES - PLACES_FOR_ONE);
  expect(memory.held).toBe(memory.bytesMax);
});

it('of senders without an address, all are one', () => {
  const { timeline } = flooded();
  const events = Array.from({ length: 20 }, (_, i) => event(4000 + i));
  let placed = 0;
  for (const each of events) {
    try {
      timeline.place([each], millis(START));
      placed += 1;
    } catch {
      // As above.
    }
  }
  expect(placed).toBe(10);
});

it('who took much has taken little again two widths of a pulse later', () => {
  const { timeline } = flooded();
  let now = START;
  for (const [from, client] of [
    [4000, '192.0.2.7'],
    [5000, '192.0.2.8'],
  ] as const) {
    now += RULES.pulseWidthMs + 6_000;
    expect(place(timeline, from + 900, 1, now - 7_000, FLOODER)).toBe(0);
    timeline.endPulses(millis(now), true);
    expect(place(timeline, from, 1000, now, client)).toBe(PLACES_FOR_ONE);
  }
  expect(place(timeline, 7000, 50, now, FLOODER)).toBe(10);
});
