import { PerformanceObserver, constants } from 'node:perf_hooks';
import type { NodeGCPerformanceDetail, PerformanceEntry } from 'node:perf_hooks';
import type { FamilySample } from '../render/families.ts';

const BOUNDS_SECONDS = [0.001, 0.01, 0.1, 1, 2, 5];

const KINDS: ReadonlyMap<number | undefined, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);
/** By `--minor-ms` V8 collects the young generation in another way, for which Node has no name. */
const ANOTHER = 'minor';

/** Node's own types leave out `detail`: https://nodejs.org/api/perf_hooks.html#performanceentrydetail */
interface GcEntry extends PerformanceEntry {
  readonly detail: NodeGCPerformanceDetail;
}

interface Durations {
  /** How many took at most as long as each bound. */
  readonly within: number[];
  sum: number;
  count: number;
}

/** How long the garbage collector took each time since the start, by its kind. */
export class GcDurations {
  readonly #byKind = new Map<string, Durations>();

  constructor() {
    new PerformanceObserver((list) => {
      for (const { detail, duration } of list.getEntries() as unknown as readonly GcEntry[]) {
        const { kind } = detail;
        this.add(KINDS.get(kind) ?? ANOTHER, duration / 1000);
      }
    }).observe({ entryTypes: ['gc'] });
  }

  add(kind: string, seconds: number): void {
    const known = this.#byKind.get(kind);
    const durations = known ?? { within: BOUNDS_SECONDS.map(() => 0), sum: 0, count: 0 };
    if (known === undefined) this.#byKind.set(kind, durations);
    for (const [i, bound] of BOUNDS_SECONDS.entries())
      if (seconds <= bound) durations.within[i] = (durations.within[i] ?? 0) + 1;
    durations.sum += seconds;
    durations.count += 1;
  }

  /** As a histogram of this name. */
  samples(name: string): readonly FamilySample[] {
    return Array.from(this.#byKind).flatMap(([kind, { within, sum, count }]) => {
      const labels = [{ name: 'kind', value: kind }];
      const bucket = (bound: string, value: number): FamilySample => ({
        name: `${name}_bucket`,
        labels: [{ name: 'le', value: bound }, ...labels],
        value,
      });
      return [
        ...within.map((value, i) => bucket(String(BOUNDS_SECONDS[i]), value)),
        bucket('+Inf', count),
        { name: `${name}_sum`, labels, value: sum },
        { name: `${name}_count`, labels, value: count },
      ];
    });
  }
}
