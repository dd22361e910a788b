import { expect, it, vi } from 'vitest';
import { Harness } from '../../test/support/harness.ts';
import type { HarnessLimits } from '../../test/support/harness.ts';
import { joined, whole } from '../../test/support/rendered.ts';
import { Share } from '../core/memory.ts';
import type { Offset } from '../core/offset.ts';
import { offset } from '../core/offset.ts';
import type { Run } from '../core/run.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { negotiate } from '../render/negotiate.ts';
import type { Piece } from '../render/render.ts';
import { Renderer } from '../render/render.ts';
import type { Wanted } from './renderAhead.ts';
import { RenderAhead } from './renderAhead.ts';

const CHUNK = 512;
const MINUTE = 60_000;
const START = offset(0);

const FORMATS = {
  text: negotiate('text/plain;version=0.0.4'),
  openmetrics: negotiate('application/openmetrics-text;version=1.0.0;escaping=allow-utf-8'),
  protobuf: negotiate(
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  ),
};
const TEXT: Wanted = { format: FORMATS.text, mode: 'untimed', without: [], gzip: false };
const PROTOBUF: Wanted = { format: FORMATS.protobuf, mode: 'timed', without: ['pod'], gzip: false };
const OPEN_METRICS: Wanted = { format: FORMATS.openmetrics, mode: 'untimed', without: [], gzip: false };

/** A harness that has events, and what renders them ahead. */
async function setUp(limits: Partial<HarnessLimits> = {}, share = new Share(Infinity)) {
  const log = new MemoryLog();
  await log.start();
  const relay = new Harness(log, { eventsMax: 1_000_000, ...limits });
  await relay.start(['s']);
  const clock = { now: 0 };
  const renderer = new Renderer(share);
  const compressed: Pick<Piece, 'bytes' | 'isShared'>[] = [];
  const ahead = new RenderAhead({
    scrapes: relay.scrapes,
    renderer,
    compressor: { ahead: (piece) => void compressed.push(piece) },
    elapsed: () => clock.now,
  });
  const post = (count: number, from = 0, series = count) =>
    relay.postBatch(Array.from({ length: count }, (_, n) => ({ n: String(from + (n % series)) })));
  /** Does all that there is to do, and tells in how many steps. */
  const work = (): number => {
    let steps = 0;
    while (ahead.step()) steps += 1;
    return steps;
  };
  const scrape = async ({ mode }: Wanted): Promise<{ runs: readonly Run[]; next: Offset }> =>
    relay.scrapes.scrape({
      identity: { id: 's', identifiedBy: 'parameter', address: '127.0.0.1' },
      mode,
      requestedAt: relay.now,
      askedAt: 0,
      timeoutMs: 10_000,
      closes: false,
      format: 'test',
      showsEnds: false,
      connection: 1,
      throughProxy: false,
      isVariable: false,
      memory: new Share(Infinity).claim(),
      addedBytes: 0,
      once: undefined,
    });
  const body = (runs: readonly Run[], { format, mode, without }: Wanted, by = renderer) =>
    joined(
      whole(
        by.render({ ...format, version: undefined, contentType: '' }, runs, [], {
          timed: mode === 'timed',
          without,
        }),
      ),
    );
  return {
    relay,
    share,
    ahead,
    compressed,
    clock,
    post,
    work,
    scrape,
    body,
    [Symbol.dispose]: () => ahead.stop(),
  };
}

it.each([
  ['text', TEXT],
  ['openmetrics', OPEN_METRICS],
  ['protobuf', PROTOBUF],
])(
  'renders what a scrape would, so that the scrape renders no more than the open chunk: %s',
  async (_, wanted) => {
    using set = await setUp();
    set.ahead.asked(wanted, START);
    await set.post(3 * CHUNK + 10);
    expect(set.work()).toBe(3);
    const before = set.share.held;
    expect(before).toBeGreaterThan(3 * CHUNK * 2);
    const { runs, next } = await set.scrape(wanted);
    expect(runs.map(({ length }) => length)).toEqual([CHUNK, CHUNK, CHUNK, 10]);
    const body = set.body(runs, wanted);
    // Ten of more than a thousand.
    expect(set.share.held - before).toBeLessThan(before / 100);
    expect(body.equals(set.body(runs, wanted, new Renderer(new Share(Infinity))))).toBe(true);
    expect(next).toBe(3 * CHUNK + 10);
    set.ahead.asked(wanted, next);
    await set.post(CHUNK, 10_000);
    // The next one has only the rest of what is full now.
    expect(set.work()).toBe(0);
    await set.post(CHUNK, 20_000);
    expect(set.work()).toBe(1);
  },
);

it('renders nothing ahead that nobody asks for, nor in a way of ten minutes ago', async () => {
  using set = await setUp();
  await set.post(CHUNK);
  expect([set.work(), set.share.held]).toEqual([0, 0]);
  set.ahead.asked(TEXT, START);
  expect(set.work()).toBe(1);
  const text = set.share.held;
  const { runs } = await set.scrape(TEXT);
  set.body(runs, TEXT);
  expect(set.share.held).toBe(text);
  set.body(runs, PROTOBUF);
  expect(set.share.held).toBeGreaterThan(text);
  set.clock.now += 10 * MINUTE;
  await set.post(CHUNK, 1_000);
  expect(set.work()).toBe(1);
  set.clock.now += 1;
  await set.post(CHUNK, 2_000);
  expect(set.work()).toBe(0);
});

it('renders in the two ways that were asked for last', async () => {
  using set = await setUp();
  for (const wanted of [TEXT, OPEN_METRICS, TEXT, PROTOBUF]) set.ahead.asked(wanted, START);
  await set.post(CHUNK);
  expect(set.work()).toBe(2);
  const { runs } = await set.scrape(TEXT);
  const [run] = runs as [Run];
  const looks = vi.spyOn(run, 'entries');
  for (const wanted of [TEXT, PROTOBUF]) set.body(runs, wanted);
  expect(looks).toHaveBeenCalledTimes(0);
  set.body(runs, OPEN_METRICS);
  expect(looks).toHaveBeenCalledTimes(1);
});

it('keeps within its share, and drives out nothing that a scrape used', async () => {
  using other = await setUp();
  other.ahead.asked(TEXT, START);
  await other.post(CHUNK);
  other.work();
  const chunkBytes = other.share.held;
  // Lines are estimated to be longer than these are.
  using set = await setUp({}, new Share(chunkBytes * 9));
  await set.post(2 * CHUNK);
  const { runs, next } = await set.scrape(TEXT);
  set.body(runs, TEXT);
  const used = set.share.held;
  set.ahead.asked(TEXT, next);
  await set.post(12 * CHUNK, 10_000);
  const steps = set.work();
  expect(steps).toBeGreaterThanOrEqual(1);
  expect(steps).toBeLessThanOrEqual(7);
  const held = set.share.held;
  expect(held).toBeLessThanOrEqual(set.share.bytesMax);
  set.body(runs, TEXT);
  expect(set.share.held).toBe(held);
  expect(held).toBeGreaterThan(used);
  expect(set.share.refused).toBe(0);
  // Asked again, it looks again, and finds no more room.
  set.ahead.asked(TEXT, next);
  expect(set.work()).toBe(0);
});

it('leaves out what scrapes will not show as it is', async () => {
  using repeating = await setUp();
  repeating.ahead.asked(TEXT, START);
  await repeating.post(4 * CHUNK, 0, CHUNK - 1);
  expect(repeating.work()).toBe(0);
  using counting = await setUp({ collapse: 'count' });
  counting.ahead.asked(TEXT, START);
  counting.ahead.asked(PROTOBUF, START);
  await counting.post(CHUNK);
  expect(counting.work()).toBe(1);
  counting.relay.now = (counting.relay.now + 51 * MINUTE) as typeof counting.relay.now;
  counting.ahead.asked({ ...PROTOBUF, without: [] }, START);
  expect(counting.work()).toBe(0);
});

it('compresses what it rendered, piece by piece, for those who take gzip', async () => {
  using set = await setUp();
  set.ahead.asked(TEXT, START);
  await set.post(CHUNK);
  expect([set.work(), set.compressed.length]).toEqual([1, 0]);
  set.ahead.asked({ ...TEXT, gzip: true }, offset(CHUNK));
  await set.post(2 * CHUNK, 1_000);
  expect([set.work(), set.compressed.length]).toEqual([4, 2]);
  expect(set.compressed.every(({ isShared }) => isShared)).toBe(true);
});

it('goes on with what lies behind a page, and begins anew for one who lies further back', async () => {
  using set = await setUp({ eventsMax: 2 * CHUNK });
  await set.post(5 * CHUNK);
  const { next } = await set.scrape(TEXT);
  expect(next).toBe(2 * CHUNK);
  set.ahead.asked(TEXT, next);
  expect(set.work()).toBe(3);
  set.ahead.asked(TEXT, offset(CHUNK - 1));
  // The first chunk is cut for this one; the second is new, and the others are there.
  expect(set.work()).toBe(1);
});
