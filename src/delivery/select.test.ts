import { expect, it } from 'vitest';
import type { Entry } from '../core/entry.ts';
import type { Loop } from '../core/loop.ts';
import { millis } from '../core/millis.ts';
import { START, offset } from '../core/offset.ts';
import { positionAt } from '../core/position.ts';
import { NONE, range, size } from '../core/range.ts';
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

/** Selects every second one, and counts how often it was asked. */
class Half implements Select {
  readonly key = 'half';
  looks = 0;

  has(): boolean {
    this.looks += 1;
    return this.looks % 2 === 0;
  }
}

/** Tells how many looks a step took at most, of any work. */
class CountingLoop implements Loop {
  most = 0;
  readonly #select: Half;

  constructor(select: Half) {
    this.#select = select;
  }

  run<Result>(steps: Iterator<void, Result>): Result {
    for (;;) {
      const before = this.#select.looks;
      const step = steps.next();
      this.most = Math.max(this.most, this.#select.looks - before);
      if (step.done === true) return step.value;
    }
  }
}

/** As a receipt, or a post that waits, asks for it. */
function notSelectedBy(select: Select, loop: Loop): Promise<NotSelected> {
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
  return notSelected(page.ranges, { read: () => Promise.resolve(page) }, scrapers, loop);
}

it('G6: each look at what a sink gets is a step by itself', () => {
  const select = new Half();
  const loop = new CountingLoop(select);
  const { passed } = loop.run(choose(page, COUNT, select));
  expect(size(passed)).toBe(COUNT / 2);
  expect([select.looks, loop.most]).toEqual([COUNT, 1]);
});

it("G6: each look at what a sink doesn't get is a step by itself", async () => {
  const select = new Half();
  const loop = new CountingLoop(select);
  const passed = await notSelectedBy(select, loop);
  expect(size(passed.get('sink:db') ?? NONE)).toBe(COUNT / 2);
  expect([select.looks, loop.most]).toEqual([COUNT, 1]);
});
