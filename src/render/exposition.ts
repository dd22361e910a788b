import type { Entry } from '../core/entry.ts';
import type { SeriesText } from '../core/series.ts';
import type { Family } from './families.ts';

/** What the events' families say of themselves, in every format. */
export const EVENT_HELP = 'Events registered with oneShotMetricsServer, each delivered once to each scraper';

/** An entry, and its series as it is shown. */
export interface Sample {
  readonly series: SeriesText;
  readonly entry: Entry;
}

/** How a format writes. A body is, for each family of events, its head and its samples; then the server's own families; then its end. */
export interface Exposition {
  /** Whether timed samples can be the end of a pulse. */
  readonly showsEnds: boolean;
  /** Samples of one family; timed, those of one series stand together. What is written for some of them may stand behind others. */
  samples(samples: readonly Sample[], timed: boolean): Uint8Array;
  /** What stands before a family's samples. `head`: what its series begin with; `bytes`: what the samples take. */
  familyHead(head: string, bytes: number): Uint8Array;
  /** Families of the server's own. `hasHead`: whether there is a family of events whose series begin so. */
  own(families: readonly Family[], hasHead: (head: string) => boolean): Uint8Array;
  /** What stands behind all else. */
  readonly end: Uint8Array;
}
