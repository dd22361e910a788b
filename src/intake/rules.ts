import type { EventNames } from '../core/labels.ts';
import type { EventLimits } from '../core/limits.ts';
import type { LabelPolicy } from './keptLabels.ts';

/** What an event is checked against. */
export interface EventRules {
  /** The metric's name where the event names none. */
  readonly metric: string;
  readonly limits: EventLimits;
  readonly names: EventNames;
  /** Tells the names of this server's own metrics. */
  readonly reserved: (metric: string) => boolean;
  /** Without it all labels are kept, and a value that is too long is refused. */
  readonly labels?: LabelPolicy;
}
