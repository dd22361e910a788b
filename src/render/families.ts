import type { Millis } from '../core/millis.ts';
import type { Label } from '../core/series.ts';

/** Families that stand together in a body. */
export interface FamilyGroup {
  readonly families: readonly Family[];
  /** Whether this very group stands in other bodies, too: what is made of it is worth keeping with it. */
  readonly isShared: boolean;
}

/** A metric family of the server's own, in no format yet. Its samples have no time: they are as of the scrape. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly samples: readonly FamilySample[];
}

export interface FamilySample {
  /** With the suffix, where the family has such (`_bucket`, `_sum`, `_count`). */
  readonly name: string;
  readonly labels: readonly Label[];
  readonly value: number;
  /**
   * Since when a counter counts: it was 0 then. Only protobuf shows it: OpenMetrics would with `_created`, which Prometheus stores as a series
   * of its own.
   */
  readonly createdAt?: Millis;
}

/** What a metric is, for the page that lists them. */
export interface MetricDescription {
  readonly name: string;
  readonly type: Family['type'];
  readonly labels: readonly string[];
  readonly help: string;
}
