import type { Label } from '../core/series.ts';
import type { MetricDescription } from '../render/families.ts';

const PREFIX = 'events_to_metrics_';

/** A value, and the labels that it stands under. */
export type Reading = readonly [value: number, labels: readonly Label[]];

/** A metric of the server's own, read when it is asked for. */
export interface OwnMetric extends MetricDescription {
  readonly read: () => readonly Reading[];
  /** It isn't shown at all while it has no samples: most servers have nothing of the kind. */
  readonly isHidden?: true;
}

export const gauge = (name: string, help: string) => ({ name: PREFIX + name, type: 'gauge', help }) as const;
export const counter = (name: string, help: string) =>
  ({ name: PREFIX + name, type: 'counter', help }) as const;

export function labelled(...pairs: readonly (readonly [name: string, value: string])[]): readonly Label[] {
  return pairs.map(([name, value]) => ({ name, value }));
}
