import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Evidence } from '../../src/delivery/settle.ts';
import { fatesOf } from '../../src/core/fate.ts';
import type { Offset } from '../../src/core/offset.ts';
import { offset } from '../../src/core/offset.ts';
import type { Mode } from '../../src/core/position.ts';
import { CLOSES_AFTER_ENDS } from '../../src/core/position.ts';
import { range } from '../../src/core/range.ts';
import { MemoryLog } from '../../src/log/memory/memoryLog.ts';
import { Harness, numberOf } from '../support/harness.ts';

/**
 * The naive model: what each scraper has not had, written down event by event. It knows nothing of offsets, ranges or cursors.
 */
interface ScraperModel {
  /** Everything posted since it became known. */
  expected: Set<string>;
  /** Not had, and not out: what the next scrape must bring, in this order. */
  todo: Set<string>;
  /** Out in a response of which nothing is known yet. */
  out: { offerId: number; numbers: string[]; mode: Mode; flushed: boolean; requestedAt: number }[];
  /** What the client has stored. */
  stored: Map<string, number>;
  /** What it stored of a timed response of which it gave no proof. */
  storedTimed: Set<string>;
  /** Timed: ended well once, without proof. */
  endedOnce: Set<string>;
  /** Timed responses that ended well since the last proof. */
  endsInRow: number;
  halvings: number;
  seenAt: number;
  /** How what it has was settled. */
  had: Map<string, 'delivered' | 'deliveredWithoutProof'>;
}

interface Model {
  scrapers: Map<string, ScraperModel>;
  posted: number;
  /** When the event came whose id it is, of those whose window is not over. */
  ids: Map<string, number>;
  /** Where each event is in the log. */
  offsets: Map<string, Offset>;
}

const PAGE = 4;
const LEASE_MS = 60_000;
const TIMEOUT_MS = 100_000;
const WINDOW_MS = 130_000;
const SCRAPERS = ['a', 'b', 'c'];

/** How a response ends, whether the client stored it, and what is seen of it. */
interface Fate {
  readonly name: string;
  readonly flushed: boolean;
  /** Whether the client announced that it closes. */
  readonly closes?: true;
  readonly stored: boolean;
  readonly evidence: Evidence | undefined;
  /** What the rules make of it: delivered, to be offered again, or unknown as yet. */
  readonly untimed: 'done' | 'todo' | 'out';
  readonly timed: 'done' | 'todo' | 'out' | 'once';
  readonly halves: boolean;
}

const FATES: readonly Fate[] = [
  {
    name: 'read',
    flushed: true,
    stored: true,
    evidence: 'nextRequest',
    untimed: 'done',
    timed: 'done',
    halves: false,
  },
  {
    name: 'read, then ended',
    flushed: true,
    stored: true,
    evidence: 'cleanEnd',
    untimed: 'done',
    timed: 'once',
    halves: false,
  },
  {
    name: 'read, then ended as announced',
    flushed: true,
    closes: true,
    stored: true,
    evidence: 'cleanEnd',
    untimed: 'done',
    timed: 'once',
    halves: false,
  },
  {
    name: 'cut in the middle',
    flushed: false,
    stored: false,
    evidence: 'reset',
    untimed: 'todo',
    timed: 'todo',
    halves: true,
  },
  {
    name: 'given up in the middle',
    flushed: false,
    stored: false,
    evidence: 'doubtfulEnd',
    untimed: 'todo',
    timed: 'todo',
    halves: true,
  },
  {
    name: 'reset unread',
    flushed: true,
    stored: false,
    evidence: 'reset',
    untimed: 'todo',
    timed: 'todo',
    halves: true,
  },
  {
    name: 'given up unread',
    flushed: true,
    stored: false,
    evidence: 'doubtfulEnd',
    untimed: 'todo',
    timed: 'todo',
    halves: true,
  },
  {
    name: 'read, nothing seen',
    flushed: true,
    stored: true,
    evidence: undefined,
    untimed: 'out',
    timed: 'out',
    halves: false,
  },
  {
    name: 'never sent, nothing seen',
    flushed: false,
    stored: false,
    evidence: undefined,
    untimed: 'out',
    timed: 'out',
    halves: false,
  },
];

type Real = Harness;

class Post implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const n = String((model.posted += 1));
    await real.post(n);
    model.offsets.set(n, real.log.state().end);
    for (const scraper of model.scrapers.values()) {
      scraper.todo.add(n);
      scraper.expected.add(n);
    }
  }
  toString = () => 'post';
}

/** An event that is pushed under an id by several at the same moment. */
class Push implements fc.AsyncCommand<Model, Real> {
  readonly id: string;
  readonly times: number;
  constructor(eventId: string, times: number) {
    this.id = eventId;
    this.times = times;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const n = String(model.posted + 1);
    const pushes = await Promise.all(
      Array.from({ length: this.times }, () => real.postBatch([{ n, id: this.id }])),
    );
    const isNew = !model.ids.has(this.id);
    expect(pushes.map(({ accepted }) => accepted)).toEqual(pushes.map((_, i) => (isNew && i === 0 ? 1 : 0)));
    if (!isNew) return;
    model.ids.set(this.id, real.now);
    model.posted += 1;
    model.offsets.set(n, real.log.state().end);
    for (const scraper of model.scrapers.values()) {
      scraper.todo.add(n);
      scraper.expected.add(n);
    }
  }
  toString = () => `push ${this.id} ${this.times} times`;
}

class Scrape implements fc.AsyncCommand<Model, Real> {
  readonly id: string;
  readonly mode: Mode;
  readonly fate: Fate;
  constructor(id: string, mode: Mode, fate: Fate) {
    this.id = id;
    this.mode = mode;
    this.fate = fate;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const { id, mode, fate } = this;
    const scraper = known(model, id, real.now);
    const doubtful = real.counts.deliveries.doubtful;
    const { entries, offerId } = await real.scrape(id, mode, 'address', fate.closes);
    const numbers = entries.map(numberOf);
    if (mode === 'untimed') {
      const twice = numbers.filter((n) => scraper.storedTimed.has(n));
      expect(real.counts.deliveries.doubtful - doubtful).toBeGreaterThanOrEqual(twice.length);
      for (const n of twice) scraper.storedTimed.delete(n);
    }

    // A timed offer of which nothing is known is offered again; an untimed one stays out.
    settleWithout(
      scraper,
      scraper.out.filter((o) => o.mode === 'timed'),
    );
    const most = Math.max(1, Math.floor(PAGE / 2 ** scraper.halvings));
    const expected = [...scraper.todo].toSorted((a, b) => Number(a) - Number(b)).slice(0, most);
    expect(numbers).toEqual(expected);
    expect(offerId === undefined).toBe(expected.length === 0);
    if (offerId === undefined) return;

    for (const n of numbers) scraper.todo.delete(n);
    if (fate.flushed) real.scrapes.flushed(id, offerId);
    if (fate.stored) for (const n of numbers) scraper.stored.set(n, (scraper.stored.get(n) ?? 0) + 1);
    if (fate.stored && mode === 'timed') for (const n of numbers) scraper.storedTimed.add(n);
    if (fate.evidence !== undefined) real.scrapes.observe(id, offerId, fate.evidence);
    if (fate.halves) scraper.halvings += 1;
    const end = mode === 'timed' ? fate.timed : fate.untimed;
    let confirmed = end === 'done' ? numbers.length : 0;
    const how = fate.evidence === 'nextRequest' ? 'delivered' : 'deliveredWithoutProof';
    if (end === 'done') for (const n of numbers) scraper.had.set(n, how);
    if (end === 'todo') for (const n of numbers) scraper.todo.add(n);
    if (end === 'out')
      scraper.out.push({ offerId, numbers, mode, flushed: fate.flushed, requestedAt: real.now });
    if (fate.evidence === 'nextRequest') scraper.endsInRow = 0;
    if (end === 'once') {
      scraper.endsInRow += 1;
      const believed = fate.closes === true || scraper.endsInRow >= CLOSES_AFTER_ENDS;
      for (const n of numbers) {
        if (believed && scraper.endedOnce.has(n)) {
          confirmed += 1;
          scraper.had.set(n, how);
        } else scraper.todo.add(n);
      }
      for (const n of numbers) scraper.endedOnce.add(n);
    }
    if (confirmed > 0) scraper.halvings = Math.max(0, scraper.halvings - 1);
    checkFates(model, real);
  }
  toString = () => `${this.id} scrapes ${this.mode}: ${this.fate.name}`;
}

class Restart implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    await real.start();
    for (const scraper of model.scrapers.values()) {
      settleWithout(scraper, scraper.out, true);
      scraper.seenAt = real.now;
    }
    checkFates(model, real);
  }
  toString = () => 'restart';
}

class Pass implements fc.AsyncCommand<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    await real.pass(this.ms);
    for (const [eventId, at] of model.ids) if (at < real.now - WINDOW_MS) model.ids.delete(eventId);
    for (const [id, scraper] of model.scrapers) {
      settleWithout(
        scraper,
        scraper.out.filter(({ requestedAt }) => real.now - requestedAt >= LEASE_MS),
      );
      if (real.now - scraper.seenAt >= TIMEOUT_MS) model.scrapers.delete(id);
    }
    expect([...real.scrapers.all()].map(({ id }) => id).toSorted()).toEqual(
      [...model.scrapers.keys()].toSorted(),
    );
  }
  toString = () => `${this.ms} ms pass`;
}

/**
 * What becomes of offers without evidence: timed ones and unsent ones come again, sent untimed ones count as delivered. What was
 * not even sent halves the next page, unless it was a restart that broke it off.
 */
function settleWithout(scraper: ScraperModel, offers: ScraperModel['out'], restarted = false): void {
  for (const { mode, flushed, numbers } of offers) {
    if (mode === 'timed' || !flushed) for (const n of numbers) scraper.todo.add(n);
    else {
      scraper.halvings = Math.max(0, scraper.halvings - 1);
      for (const n of numbers) scraper.had.set(n, 'deliveredWithoutProof');
    }
    if (!flushed && !(restarted && mode === 'timed')) scraper.halvings += 1;
  }
  scraper.out = scraper.out.filter((offer) => !offers.includes(offer));
}

function known(model: Model, id: string, now: number): ScraperModel {
  let scraper = model.scrapers.get(id);
  if (scraper === undefined) {
    scraper = {
      expected: new Set(),
      todo: new Set(),
      out: [],
      stored: new Map(),
      storedTimed: new Set(),
      endedOnce: new Set(),
      endsInRow: 0,
      halvings: 0,
      seenAt: now,
      had: new Map(),
    };
    model.scrapers.set(id, scraper);
  }
  scraper.seenAt = now;
  return scraper;
}

/** What is told of each event is what the model knows of it. */
function checkFates(model: Model, real: Real): void {
  for (const [id, scraper] of model.scrapers) {
    const position = real.scrapers.get(id)?.position;
    if (position === undefined) throw new Error(`${id} is not known`);
    const out = new Set(scraper.out.flatMap(({ numbers }) => numbers));
    for (const n of scraper.expected) {
      const place = model.offsets.get(n) as Offset;
      const [{ state } = {}] = fatesOf(position, range(offset(place - 1), place));
      const expected = scraper.had.get(n) ?? (out.has(n) ? 'onItsWay' : 'waiting');
      expect({ id, n, state }).toEqual({ id, n, state: expected });
    }
  }
}

/** Everybody scrapes well until nothing is left. Then each event must have been stored once, whatever went before. */
async function drain(model: Model, real: Real): Promise<void> {
  for (const [id, scraper] of model.scrapers) {
    for (let round = 0; round < 200; round += 1) {
      const numbers = await real.delivered(id, 'untimed');
      for (const n of numbers) scraper.stored.set(n, (scraper.stored.get(n) ?? 0) + 1);
      if (numbers.length === 0) break;
    }
  }
}

const fate = fc.constantFrom(...FATES);
const id = fc.constantFrom(...SCRAPERS);
const commands = (modes: readonly Mode[]) => [
  fc.constant(new Post()),
  fc
    .tuple(fc.constantFrom('x', 'y', 'z'), fc.integer({ min: 1, max: 3 }))
    .map(([who, n]) => new Push(who, n)),
  fc.constant(new Post()),
  fc.tuple(id, fc.constantFrom(...modes), fate).map(([who, mode, how]) => new Scrape(who, mode, how)),
  fc.constant(new Restart()),
  fc.constantFrom(1_000, LEASE_MS, TIMEOUT_MS).map((ms) => new Pass(ms)),
];

async function check(modes: readonly Mode[], numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands(modes), { maxCommands: 60, size: 'max' }), async (sequence) => {
      const real = new Harness(new MemoryLog(), {
        eventsMax: PAGE,
        leaseMs: LEASE_MS,
        timeoutMs: TIMEOUT_MS,
        lookbackMs: 0,
        windowMs: WINDOW_MS,
      });
      await real.log.start();
      await real.start();
      const model: Model = { scrapers: new Map(), posted: 0, ids: new Map(), offsets: new Map() };
      await fc.asyncModelRun(() => ({ model, real }), sequence);
      // Leases end, so that nothing stays out; nobody is forgotten.
      for (const scraper of real.scrapers.all())
        await real.scrape(scraper.id, modes[0] ?? 'timed', 'address');
      await real.pass(LEASE_MS);
      for (const scraper of model.scrapers.values()) settleWithout(scraper, scraper.out);
      await drain(model, real);
      for (const [, scraper] of model.scrapers) {
        for (const [n, times] of scraper.stored) {
          // A repeated timed sample is stored once; an untimed one would be there twice.
          if (!modes.includes('timed')) expect({ n, times }).toEqual({ n, times: 1 });
        }
        for (const n of scraper.expected)
          expect(scraper.stored.has(n), `event ${n} was never stored`).toBe(true);
      }
    }),
    { numRuns },
  );
}

it('G2, G3, G4: every untimed scrape brings exactly what the naive model expects, whatever breaks (3,000 runs)', async () => {
  await check(['untimed'], 3_000);
}, 180_000);

it('G2, G3, G4: every timed scrape brings exactly what the naive model expects, whatever breaks (3,000 runs)', async () => {
  await check(['timed'], 3_000);
}, 180_000);

it('G2, G3: who changes between timed and untimed loses nothing, and what it may then have twice is counted (2,000 runs)', async () => {
  await check(['timed', 'untimed'], 2_000);
}, 180_000);
