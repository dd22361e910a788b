import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Place, Plan } from '../support/faultProxy.ts';
import { FaultProxy } from '../support/faultProxy.ts';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { temporaryFolder } from '../support/server.ts';
import { storedSeries } from '../support/tsdb.ts';
import { Counters } from './counters.ts';
import { FaultyServer } from './faultyServer.ts';
import { Lateness } from './lateness.ts';
import { Random } from './random.ts';
import { SmallDisk, requireSmallDisk } from './smallDisk.ts';
import { EventStream } from './stream.ts';
import { judgeTimed } from './verdict.ts';
import { Witness } from './witness.ts';

/**
 * The fault suite for sinks: a server pushes to a real Prometheus through the proxy that breaks answers, and either side is killed. The
 * events share series, few if they can, and have the shortest pulses, so that an event that comes out of order would be refused for good.
 */
const SECONDS = 60;
const SEED = 11;
const SERIES = 64;
/** Where the receiver's disk is full, so many that none fills a chunk: Prometheus ends with a panic where it can't write one to its disk (`handleChunkWriteError` in tsdb/head_append.go). */
const SERIES_OF_A_FULL_DISK = 4_096;
const PULSE_MS = 1_000;
const EVENTS_PER_SECOND = 150;
/** Far less than is posted on a machine with nothing else to do. */
const EVENTS_MIN = SECONDS * 10;
const TIMEOUT_MS = 1_000;
/** Far less than a first version dropped, which took each refused repeat for a loss. */
const ENDS_MAX = 25;
const PAUSE_MS = { low: 200, high: 1_200 };
const STALL_MS = { low: 100, high: 2_500 };
const SETTLE_MS_MAX = 90_000;
/** How late a pulse's end may come to the log, in ms. */
const PULSES_END_MS = 3_000;
const PLACES: readonly Place[] = ['first', 'middle', 'last', 'after'];

/** How long a disk stays full, in ms. */
const FULL_MS = { low: 500, high: 4_000 };

interface Stage {
  readonly server: FaultyServer;
  /** The receiver's, if it is so small that it can be filled. */
  readonly disk: SmallDisk | undefined;
  readonly prometheus: Prometheus;
  readonly proxy: FaultProxy;
  readonly random: Random;
}

type Strike = (stage: Stage) => Promise<unknown>;

/** Each waits until it is over. */
const OF_THE_WAY_AND_THE_SERVER: readonly Strike[] = [
  ({ proxy, random }) => proxy.strike(cut(random, 'fin'), 3_000),
  ({ proxy, random }) => proxy.strike(cut(random, 'rst'), 3_000),
  ({ proxy, random }) =>
    proxy.strike(
      { kind: 'stall', at: random.pick(PLACES.slice(0, 3)), ms: random.between(STALL_MS.low, STALL_MS.high) },
      3_000,
    ),
  async ({ server }) => {
    await server.kill();
    await server.start();
  },
  async ({ server }) => {
    await server.stop();
    await server.start();
  },
];
const OF_THE_RECEIVER: readonly Strike[] = [
  async ({ prometheus }) => {
    await prometheus.kill();
    await prometheus.start();
  },
  async ({ prometheus, random }) => {
    process.kill(prometheus.pid, 'SIGSTOP');
    await sleep(random.between(STALL_MS.low, STALL_MS.high));
    process.kill(prometheus.pid, 'SIGCONT');
  },
];

/** Without kills of the receiver: what is in its log of writes behind one that failed may be gone after a start, which is its own. */
const OF_ITS_DISK: readonly Strike[] = [
  async ({ disk, random }) => {
    disk?.fill();
    await sleep(random.between(FULL_MS.low, FULL_MS.high));
    disk?.free();
  },
];

function cut(random: Random, end: 'fin' | 'rst'): Plan {
  return { kind: 'cut', at: random.pick(PLACES), client: end, server: end };
}

const HAS_SMALL_DISKS = requireSmallDisk();

test.concurrent.for<['3.5' | '2.53', window: string | undefined, receiver: 'killed' | 'with a full disk']>([
  ['3.5', '1h', 'killed'],
  ['3.5', undefined, 'killed'],
  ['2.53', '1h', 'killed'],
  ['2.53', undefined, 'killed'],
  ['3.5', '1h', 'with a full disk'],
  ['3.5', undefined, 'with a full disk'],
])(
  'G2, G3, G4, G8: pushed to Prometheus %s, out-of-order window %s, %s: nothing is lost, twice or at a wrong time',
  async ([version, window, receiver], { skip }) => {
    const binary = requirePrometheus(version);
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    const isDiskFull = receiver === 'with a full disk';
    if (isDiskFull && !HAS_SMALL_DISKS) skip('it needs the right to mount a tmpfs');
    const random = new Random(SEED);
    using dataFolder = temporaryFolder();
    using disk = isDiskFull ? new SmallDisk(dataFolder.path) : undefined;
    await using prometheus = new Prometheus({
      dataFolder: dataFolder.path,
      binary,
      scrapeConfigs: [],
      flags: ['--web.enable-remote-write-receiver'],
      ...(window !== undefined && { settings: { storage: { tsdb: { out_of_order_time_window: window } } } }),
    });
    await prometheus.start();
    const port = Number(new URL(prometheus.url).port);
    await using proxy = new FaultProxy({ host: '127.0.0.1', port: () => port });
    await proxy.start();
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'data'));
    const url = `http://127.0.0.1:${proxy.port}/api/v1/write`;
    const place = { inside: [], listen: '127.0.0.1', address: '127.0.0.1' };
    const server = new FaultyServer(place, [
      `--store.path=${join(folder.path, 'data')}`,
      `--pulse.width=${PULSE_MS}ms`,
      '--scrape.timestamps=explicit',
      `--sinks=${JSON.stringify({ db: { url, timeout: `${TIMEOUT_MS}ms` } })}`,
    ]);
    await server.start();
    const from = Date.now();
    const stream = new EventStream(() => server.url, {
      series: isDiskFull ? SERIES_OF_A_FULL_DISK : SERIES,
      perSecond: EVENTS_PER_SECOND,
      random,
    });
    using lateness = new Lateness();
    const counters = new Counters(server, 'sink:db', lateness, 'nobody');
    const witness = new Witness(server);
    counters.start();
    witness.start();
    stream.start();
    const until = performance.now() + SECONDS * 1_000;
    const stage = { server, disk, prometheus, proxy, random };
    const faults = [...OF_THE_WAY_AND_THE_SERVER, ...(isDiskFull ? OF_ITS_DISK : OF_THE_RECEIVER)];
    let strikes = 0;
    while (performance.now() < until) {
      await sleep(random.between(PAUSE_MS.low, PAUSE_MS.high));
      await random.pick(faults)(stage);
      strikes += 1;
    }
    await stream.stop();
    await sleep(PULSE_MS + PULSES_END_MS);
    const settled = performance.now() + SETTLE_MS_MAX;
    let left = await counters.read();
    while (left !== 0 && performance.now() < settled) {
      await sleep(250);
      left = await counters.read();
    }
    await sleep(1_000);
    await witness.stop();
    await counters.stop();
    const stored = await storedSeries(
      prometheus.url,
      'events_to_metrics',
      from - 60_000,
      Date.now() + PULSE_MS,
    );
    const { lost, twice, wrong } = judgeTimed(stream.accepted, stored, witness.seen, PULSE_MS);
    const counted = counters.total;
    console.log(
      `pushed, ${version}, window ${window}, ${receiver}: ${strikes} strikes, ${stream.accepted.size} events, ${lost.length} lost, ${twice.length} twice, ${wrong.length} wrong, ${JSON.stringify(counted)}`,
    );
    expect({ left, lost, twice, wrong, crash: server.crash }, server.output.slice(-4_000)).toEqual({
      left: 0,
      lost: [],
      twice: [],
      wrong: [],
      crash: undefined,
    });
    // A start may write the end of a pulse again. Without a window it is refused, if a later event of its series is there.
    const refused = server.output.split('\n').filter((line) => line.includes('refused an event'));
    expect(counted.dropped, refused.join('\n')).toBeLessThanOrEqual(window === undefined ? ENDS_MAX : 0);
    expect(witness.contradictions).toEqual([]);
    expect(stream.accepted.size).toBeGreaterThan(EVENTS_MIN);
    if (isDiskFull) expect(await prometheus.log()).toContain('no space left on device');
    await server.stop();
  },
);
