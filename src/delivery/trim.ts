import type { LogLimits } from '../core/limits.ts';
import type { Clock } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import { offset } from '../core/offset.ts';
import { cursorOf, dropThrough } from '../core/position.ts';
import type { EntryLog } from '../log/entryLog.ts';
import type { EventCounters } from '../counting/counters.ts';
import type { Counts } from '../counting/counts.ts';
import { countDropped } from '../counting/counts.ts';
import type { Pages } from './page.ts';
import type { Scrapers } from './scrapers.ts';

export interface TrimLimits extends LogLimits {
  /** Entries that a scraper may have yet to fetch. */
  readonly backlogMax: number;
  /** How long an entry is kept though everybody has had it, in ms. */
  readonly retentionMinMs: number;
}

/** How much of the log goes at once when it is too large in bytes: the size is known for the whole only. */
const OVERSIZE_SHARE = 0.05;

export interface TrimmerParts {
  readonly log: EntryLog;
  readonly scrapers: Scrapers;
  readonly pages: Pages;
  readonly limits: TrimLimits;
  readonly clock: Clock;
  readonly counts: Counts;
  readonly counters: EventCounters;
}

/** Keeps the log, and what each scraper may claim of it, within their limits. What is dropped is counted. */
export class Trimmer {
  readonly #log: EntryLog;
  readonly #scrapers: Scrapers;
  readonly #pages: Pages;
  readonly #limits: TrimLimits;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #counters: EventCounters;

  constructor({ log, scrapers, pages, limits, clock, counts, counters }: TrimmerParts) {
    this.#log = log;
    this.#scrapers = scrapers;
    this.#pages = pages;
    this.#limits = limits;
    this.#clock = clock;
    this.#counts = counts;
    this.#counters = counters;
  }

  /** One scraper's oldest entries go where it has too many to fetch. It alone loses by it (guarantee G6). */
  dropBacklogs(): void {
    this.#dropThrough(backwards(this.#pages.end, this.#limits.backlogMax), 'backlog_full');
  }

  async run(): Promise<void> {
    this.dropBacklogs();
    // What came back from a broken response may be gone from the log by then.
    this.#dropThrough(this.#log.state().trimmed, 'log_full');
    await this.#trimConfirmed();
    await this.#trimExcess();
  }

  /** What everybody has had goes, once `retention.min` is over. */
  async #trimConfirmed(): Promise<void> {
    const old = await this.#log.offsetAt(millis(this.#clock() - this.#limits.retentionMinMs));
    let upTo = old;
    for (const { position } of this.#scrapers.all()) {
      const cursor = cursorOf(position);
      if (cursor < upTo) upTo = cursor;
    }
    const { trimmed } = this.#log.state();
    if (upTo <= trimmed) return;
    await this.#trim(upTo);
  }

  /** A log beyond its limits loses its oldest entries, whoever has yet to fetch them. */
  async #trimExcess(): Promise<void> {
    for (;;) {
      const upTo = this.#excessUpTo();
      if (upTo === undefined) return;
      this.#dropThrough(upTo, 'log_full');
      await this.#trim(upTo);
    }
  }

  /** How far the log must be trimmed to come closer to its limits; undefined where it keeps them. */
  #excessUpTo(): Offset | undefined {
    const { trimmed, end, entries, bytes } = this.#log.state();
    let excess = entries - this.#limits.entriesMax;
    if (bytes > this.#limits.bytesMax) excess = Math.max(excess, Math.ceil(entries * OVERSIZE_SHARE));
    return excess <= 0 || entries === 0 ? undefined : offset(Math.min(trimmed + excess, end));
  }

  async #trim(upTo: Offset): Promise<void> {
    await this.#counters.saveBeforeTrim(upTo);
    const { trimmed } = this.#log.state();
    await this.#log.trim(upTo);
    if (!this.#scrapers.anyLasting())
      this.#counts.dropped.no_scraper += Math.max(0, upTo - Math.max(trimmed, this.#scrapers.forgottenAt));
  }

  #dropThrough(floor: Offset, reason: 'backlog_full' | 'log_full'): void {
    for (const record of this.#scrapers.all()) {
      const { position, dropped } = dropThrough(record.position, floor, reason);
      if (dropped === 0) continue;
      countDropped(this.#counts, dropped, reason, record);
      void this.#scrapers.update(record.id, { position });
    }
  }
}

function backwards(end: Offset, entries: number): Offset {
  return offset(Math.max(0, end - entries));
}
