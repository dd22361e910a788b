import { getHeapSpaceStatistics } from 'node:v8';
import type { Monotonic } from '../core/millis.ts';
import type { Label } from '../core/series.ts';
import type { Family, FamilyGroup, FamilySample, MetricDescription } from '../render/families.ts';
import type { Lag } from './eventLoopLag.ts';
import { EventLoopLag } from './eventLoopLag.ts';
import { GcDurations } from './gcDurations.ts';
import type { ProcessMemory } from './procFiles.ts';
import { openFiles, openFilesMax, processMemory } from './procFiles.ts';

/** How old what is told of the process may be, in ms. */
const AGE_MAX_MS = 1_000;

const US_PER_SECOND = 1e6;

/** What several metrics are read from. */
interface Reading {
  readonly cpu: NodeJS.CpuUsage;
  /** Undefined where the system doesn't tell, as in a root without /proc. */
  readonly memory: NodeJS.MemoryUsage | undefined;
  readonly ofLinux: ProcessMemory;
  readonly lag: Lag;
  readonly spaces: ReturnType<typeof getHeapSpaceStatistics>;
  readonly resources: readonly string[];
  readonly handles: readonly string[];
  readonly requests: readonly string[];
}

type Value = readonly [value: number | undefined, ...labelValues: string[]];

/** A metric of the process. What it reads has a value for each of `labels`; what can't be read has no sample. */
interface ProcessMetric extends MetricDescription {
  readonly read: (reading: Reading) => readonly Value[];
}

/**
 * What a Node service usually tells of its process, under the names that dashboards know. Reading it takes a millisecond and more (files
 * of /proc, all handles), so that is done once a second at most, and all scrapes within that second share it.
 */
export class ProcessMetrics {
  readonly #elapsed: Monotonic;
  readonly #lag = new EventLoopLag();
  readonly #gc = new GcDurations();
  #readAt = 0;
  #group: FamilyGroup | undefined;

  constructor(elapsed: Monotonic) {
    this.#elapsed = elapsed;
  }

  describe(): readonly MetricDescription[] {
    const all: readonly MetricDescription[] = [...METRICS, GC];
    return all.map(({ name, type, labels, help }) => ({ name, type, labels, help }));
  }

  /** All of them, as they were at most a second ago. */
  group(): FamilyGroup {
    const now = this.#elapsed();
    if (this.#group === undefined || now - this.#readAt >= AGE_MAX_MS) {
      this.#readAt = now;
      this.#group = { families: this.#read(), isShared: true };
    }
    return this.#group;
  }

  #read(): readonly Family[] {
    const reading = readProcess(this.#lag.read());
    const families = METRICS.map(({ name, help, type, labels, read }): Family => {
      const samples = read(reading).map((value) => sampleOf(name, labels, value));
      return { name, help, type, samples: samples.filter((sample) => sample !== undefined) };
    });
    return [...families, { ...GC, samples: this.#gc.samples(GC.name) }];
  }
}

function readProcess(lag: Lag): Reading {
  return {
    cpu: process.cpuUsage(),
    memory: memoryUsage(),
    ofLinux: processMemory(),
    lag,
    spaces: getHeapSpaceStatistics(),
    resources: process.getActiveResourcesInfo(),
    handles: classNames(UNDOCUMENTED._getActiveHandles?.()),
    requests: classNames(UNDOCUMENTED._getActiveRequests?.()),
  };
}

/** A scrape should not fail for what can't be told. */
function memoryUsage(): NodeJS.MemoryUsage | undefined {
  try {
    return process.memoryUsage();
  } catch {
    return undefined;
  }
}

/** Node has these two since its first days, and tells nobody; so they may be gone one day. */
const UNDOCUMENTED = process as {
  readonly _getActiveHandles?: () => readonly object[];
  readonly _getActiveRequests?: () => readonly object[];
};

const classNames = (things: readonly object[] = []): readonly string[] =>
  things.map((thing) => thing.constructor?.name ?? 'Object');

function sampleOf(
  name: string,
  labels: readonly string[],
  [value, ...values]: Value,
): FamilySample | undefined {
  if (value === undefined) return undefined;
  return { name, labels: labels.map((label, i): Label => ({ name: label, value: values[i] ?? '' })), value };
}

const gauge = (name: string, help: string, read: (reading: Reading) => number | undefined) =>
  ({ name, type: 'gauge', labels: [], help, read: (reading) => [[read(reading)]] }) satisfies ProcessMetric;

const counter = (name: string, help: string, read: (reading: Reading) => number) =>
  ({ ...gauge(name, help, read), type: 'counter' }) satisfies ProcessMetric;

/** How many there are of each, and in all. */
const countedByType = (name: string, what: string, read: (reading: Reading) => readonly string[]) => [
  {
    name,
    type: 'gauge' as const,
    labels: ['type'],
    help: `${what}, by type.`,
    read: (reading: Reading): Value[] => {
      const counts = new Map<string, number>();
      for (const type of read(reading)) counts.set(type, (counts.get(type) ?? 0) + 1);
      return Array.from(counts, ([type, count]) => [count, type]);
    },
  },
  gauge(`${name}_total`, `${what}, in total.`, (reading) => read(reading).length),
];

/** `old_space` is `old`. */
const bySpace = (
  name: string,
  help: string,
  read: (space: ReturnType<typeof getHeapSpaceStatistics>[number]) => number,
) => ({
  name,
  type: 'gauge' as const,
  labels: ['space'],
  help,
  read: ({ spaces }: Reading): Value[] =>
    spaces.map((space) => [read(space), space.space_name.replace(/_space$/, '')]),
});

/** It can't change while the process runs. */
const STARTED_AT_SECONDS = Math.round(performance.timeOrigin / 1000);

const NODE_VERSION = process.version;

/** In the order of a scrape; those that only Linux tells elsewhere have no samples. */
const METRICS: readonly ProcessMetric[] = [
  counter(
    'process_cpu_user_seconds_total',
    'CPU time spent in user mode, in seconds.',
    ({ cpu }) => cpu.user / US_PER_SECOND,
  ),
  counter(
    'process_cpu_system_seconds_total',
    'CPU time spent in system mode, in seconds.',
    ({ cpu }) => cpu.system / US_PER_SECOND,
  ),
  counter(
    'process_cpu_seconds_total',
    'Total CPU time spent, in seconds.',
    ({ cpu }) => (cpu.user + cpu.system) / US_PER_SECOND,
  ),
  gauge(
    'process_start_time_seconds',
    'Start time of the process, in seconds since the Unix epoch.',
    () => STARTED_AT_SECONDS,
  ),
  gauge(
    'process_resident_memory_bytes',
    'Resident memory, in bytes.',
    ({ ofLinux, memory }) => ofLinux.resident ?? memory?.rss,
  ),
  gauge('process_virtual_memory_bytes', 'Virtual memory, in bytes.', ({ ofLinux }) => ofLinux.virtual),
  gauge(
    'process_heap_bytes',
    'Size of the data segment of the process, in bytes.',
    ({ ofLinux }) => ofLinux.data,
  ),
  gauge('process_open_fds', 'Number of open file descriptors.', () => openFiles()),
  gauge('process_max_fds', 'Maximum number of open file descriptors.', () => openFilesMax()),
  gauge('nodejs_eventloop_lag_seconds', 'Latest delay of the event loop, in seconds.', ({ lag }) => lag.turn),
  gauge('nodejs_eventloop_lag_min_seconds', 'Smallest delay of the event loop.', ({ lag }) => lag.min),
  gauge('nodejs_eventloop_lag_max_seconds', 'Largest delay of the event loop.', ({ lag }) => lag.max),
  gauge('nodejs_eventloop_lag_mean_seconds', 'Mean of the delays of the event loop.', ({ lag }) => lag.mean),
  gauge(
    'nodejs_eventloop_lag_stddev_seconds',
    'Standard deviation of the delays of the event loop.',
    ({ lag }) => lag.stddev,
  ),
  gauge('nodejs_eventloop_lag_p50_seconds', 'Median of the delays of the event loop.', ({ lag }) => lag.p50),
  gauge(
    'nodejs_eventloop_lag_p90_seconds',
    '90th percentile of the delays of the event loop.',
    ({ lag }) => lag.p90,
  ),
  gauge(
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the delays of the event loop.',
    ({ lag }) => lag.p99,
  ),
  ...countedByType(
    'nodejs_active_resources',
    'Resources that keep the event loop alive',
    ({ resources }) => resources,
  ),
  ...countedByType('nodejs_active_handles', 'Active handles of libuv', ({ handles }) => handles),
  ...countedByType('nodejs_active_requests', 'Active requests of libuv', ({ requests }) => requests),
  gauge('nodejs_heap_size_total_bytes', "Size of V8's heap, in bytes.", ({ memory }) => memory?.heapTotal),
  gauge('nodejs_heap_size_used_bytes', "Bytes of V8's heap in use.", ({ memory }) => memory?.heapUsed),
  gauge(
    'nodejs_external_memory_bytes',
    "Memory outside of V8's heap, in bytes.",
    ({ memory }) => memory?.external,
  ),
  bySpace(
    'nodejs_heap_space_size_total_bytes',
    "Size of each space of V8's heap, in bytes.",
    (space) => space.space_size,
  ),
  bySpace(
    'nodejs_heap_space_size_used_bytes',
    "Bytes in use of each space of V8's heap.",
    (space) => space.space_used_size,
  ),
  bySpace(
    'nodejs_heap_space_size_available_bytes',
    "Bytes available of each space of V8's heap.",
    (space) => space.space_available_size,
  ),
  {
    name: 'nodejs_version_info',
    type: 'gauge',
    labels: ['version', 'major', 'minor', 'patch'],
    help: 'Always 1. The labels have the version of Node.js.',
    read: () => [[1, NODE_VERSION, ...NODE_VERSION.slice(1).split('.')]],
  },
];

const GC: MetricDescription = {
  name: 'nodejs_gc_duration_seconds',
  type: 'histogram',
  labels: ['kind'],
  help: 'Time that garbage collections took, in seconds; kind is major, minor, incremental or weakcb.',
};
