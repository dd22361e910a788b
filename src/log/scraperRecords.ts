import type { Millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import type { Position } from '../core/position.ts';

/** How a scraper's id was found: one of its own (header or parameter), its user, its pod, or merely its address. A sink is called by us, and configured. */
export const IDENTIFIED_BY = ['header', 'parameter', 'user', 'pod', 'address', 'sink'] as const;
export type IdentifiedBy = (typeof IDENTIFIED_BY)[number];

/** What the log keeps of a scraper. */
export interface ScraperRecord {
  readonly id: string;
  readonly identifiedBy: IdentifiedBy;
  /** The address of its latest request, without a port; of a sink, the host that it is at. */
  readonly address: string;
  readonly firstSeen: Millis;
  readonly lastSeen: Millis;
  /** It gave no id of its own, and has come once only: perhaps somebody who looked, and will not come again. */
  readonly isOneVisit?: true;
  readonly position: Position;
  /** What the scraper selects, by a key of it, and from where on: what lies up to `since` was settled by another selection. Absent for all. */
  readonly select?: { readonly key: string; readonly since: Offset };
  /** Raised by one at every save; 1 at the first. */
  readonly version: number;
}

/** What the log keeps of each scraper: above all its position. */
export interface ScraperRecords {
  /** Every scraper that was saved and not deleted. */
  loadScrapers(): Promise<readonly ScraperRecord[]>;

  /**
   * Saves a scraper. Saves of one scraper take effect in the order of the calls, and a record is durable when its promise resolves. A log that can
   * without waiting keeps it from the death of this process as soon as the call returns; over a network no log can.
   *
   * The saved version must be lower than the record's, or absent. (Lower, not lower by one: a save that found no room is left out.) Where it
   * isn't, somebody else owns the log by now: that is told through `Log.onBroken`, with an OwnershipLostError, and the call never settles.
   */
  saveScraper(record: ScraperRecord): Promise<void>;

  /** Forgets a scraper. Unknown ids are fine. */
  deleteScraper(id: string): Promise<void>;
}
