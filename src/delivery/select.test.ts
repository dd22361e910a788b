import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Entry } from '../core/entry.ts';
import { millis } from '../core/millis.ts';
import { START, offset } from '../core/offset.ts';
import { positionAt } from '../core/position.ts';
import { NONE, range } from '../core/range.ts';
import { writeSeries } from '../core/series.ts';
import type { NotSelected } from './notSelected.ts';
import { notSelected } from './notSelected.ts';
import type { ScraperRecord } from '../log/scraperRecords.ts';
import type { Page } from './page.ts';
import type { Select } from './select.ts';
import { choose } from './select.ts';
import { ReadStretch } from './stretch.ts';

const COUNT = 40;

const entries = Array.from({ length: COUNT }, (_, n): Entry => ({
  kind: 'event',
  series: writeSeries('e', [{ name: 'n', value: String(n) }]),
  value: 1,
  time: millis(n),
  arrived: millis(n),
  offset: offset(n + 1),
}));
const page: Page = {
  stretches: [new ReadStretch(entries)],
  ranges: range(offset(0), offset(COUNT)),
  gaps: NONE,
  lost: 0,
};

/** Selects every second one, and takes so long for each, in ms. */
class Slow implements Select {
  readonly key = 'half';
  readonly #costs: number;
  #now = 0;
  #looks = 0;

  constructor(costs: number) {
    this.#costs = costs;
  }

  readonly elapsed = (): number => this.#now;

  has(): boolean {
    this.#now += this.#costs;
    this.#looks += 1;
    return this.#looks % 2 === 0;
  }
}

/** How many turns others get until something is done. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  const state = { isDone: false, turns: 0 };
  const others = async (): Promise<void> => {
    for (; !state.isDone; state.turns += 1) await setImmediate();
  };
  const ended = others();
  await work;
  state.isDone = true;
  await ended;
  return state.turns;
}

const WORKS: readonly (readonly [what: string, work: (select: Slow) => Promise<unknown>])[] = [
  ['what a sink gets', (select) => choose(page, COUNT, select, select.elapsed)],
  ['what a sink does not get', (select) => notSelectedBy(select)],
];

/** As a receipt, or a post that waits, asks for it. */
function notSelectedBy(select: Slow): Promise<NotSelected> {
  const record: ScraperRecord = {
    id: 'sink:db',
    identifiedBy: 'sink',
    address: 'db',
    firstSeen: millis(0),
    lastSeen: millis(0),
    position: positionAt(START),
    select: { key: select.key, since: START },
    version: 1,
  };
  const scrapers = { all: () => [record].values(), selectOf: () => select };
  return notSelected(page.ranges, { read: () => Promise.resolve(page) }, scrapers, select.elapsed);
}

it.each(WORKS)('G6: others have a turn after each look that takes long: %s', async (_what, work) => {
  expect(await turnsDuring(work(new Slow(25)))).toBeGreaterThanOrEqual(COUNT - 1);
});

it.each(WORKS)('goes on where looks take next to no time: %s', async (_what, work) => {
  expect(await turnsDuring(work(new Slow(0.01)))).toBeLessThanOrEqual(3);
});
