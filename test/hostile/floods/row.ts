import type { MemorySeen } from './memory.ts';
import type { Sent } from './tally.ts';
import type { HealthSeen } from './witnesses/health.ts';
import type { PosterSeen } from './witnesses/poster.ts';
import type { ScraperSeen } from './witnesses/scraper.ts';

/** One start on what a flood left on disk. */
export interface Restart {
  /** Undefined where it did not become ready. */
  readonly readyMs: number | undefined;
  /** Resident memory in MiB until a moment after that. */
  readonly most: number;
  readonly why: string;
}

/** All that was seen of one flood. */
export interface Row {
  readonly kind: number;
  readonly name: string;
  readonly sent: Sent;
  readonly memory: MemorySeen;
  readonly health: HealthSeen;
  readonly scraper: ScraperSeen;
  readonly poster: PosterSeen;
  /** Why the server ended during the flood; undefined where it did not. */
  readonly died: string | undefined;
  readonly restarts: readonly Restart[];
  /** What the same scraper read after the last start. */
  readonly afterwards: ScraperSeen;
  /** The first start, on an empty log but for a kind that brings one. */
  readonly firstReadyMs: number;
  /** How many entries its log has that no server has counted. */
  readonly uncounted: number;
}
