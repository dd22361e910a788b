import { Registry, collectDefaultMetrics } from 'prom-client';
import type { Monotonic } from '../core/millis.ts';
import type { Label } from '../core/series.ts';
import { formatSampleValue } from '../core/value.ts';
import type { Family, FamilyGroup } from '../wire/out/families.ts';
import type { MetricDescription } from './ownMetrics.ts';

/** How old what is told of the process may be, in ms. */
const AGE_MAX_MS = 1_000;

/**
 * What prom-client tells of the process, as of every Node service. Reading it takes a millisecond and more (files of /proc, all handles), so
 * that is done once a second at most, and all scrapes within that second share it.
 */
export class ProcessMetrics {
  readonly #registry = new Registry();
  readonly #elapsed: Monotonic;
  #readAt = 0;
  #reading: Promise<FamilyGroup> | undefined;

  constructor(elapsed: Monotonic) {
    this.#elapsed = elapsed;
    collectDefaultMetrics({ register: this.#registry });
  }

  describe(): readonly MetricDescription[] {
    const metrics = this.#registry.getMetricsAsArray() as unknown as Registered[];
    return metrics.map(({ name, type, labelNames, help }) => ({ name, type, labels: labelNames, help }));
  }

  /** All of them, as they were at most a second ago. */
  group(): Promise<FamilyGroup> {
    const now = this.#elapsed();
    if (this.#reading === undefined || now - this.#readAt >= AGE_MAX_MS) {
      this.#readAt = now;
      this.#reading = this.#read();
    }
    return this.#reading;
  }

  async #read(): Promise<FamilyGroup> {
    const metrics = (await this.#registry.getMetricsAsJSON()) as unknown as Collected[];
    const families = metrics.map(({ name, help, type, values }): Family => ({
      name,
      help,
      type,
      samples: values.map((sample) => ({
        name: sample.metricName ?? name,
        labels: labelsOf(sample.labels),
        value: sample.value,
      })),
    }));
    return { families, isShared: true };
  }
}

/** What the library gives for each metric; its own types leave out `metricName`. */
interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: Family['type'];
  readonly values: readonly {
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
  }[];
}

/** A metric in the library's registry; its own types leave out `labelNames`. */
interface Registered {
  readonly name: string;
  readonly type: Family['type'];
  readonly labelNames: readonly string[];
  readonly help: string;
}

function labelsOf(labels: Collected['values'][number]['labels']): Label[] {
  return Object.entries(labels).map(([name, value]) => ({
    name,
    value: typeof value === 'number' ? formatSampleValue(value) : value,
  }));
}
