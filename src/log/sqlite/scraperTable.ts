import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ScraperRecord } from '../scraperRecords.ts';
import type { Offer, Position } from '../../core/position.ts';
import type { Past } from '../../core/past.ts';
import type { Range } from '../../core/range.ts';
import { OwnershipLostError } from '../log.ts';
import { readMeta, writeMeta } from './meta.ts';
import { damagedError } from './sqliteError.ts';
import type { Transactions } from './transactions.ts';

interface Row {
  readonly id: string;
  readonly version: number;
  readonly record: string;
}

/** The scrapers in the file, each as JSON beside its version. */
export class ScraperTable {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #save: StatementSync;
  readonly #delete: StatementSync;
  #hadScrapers: boolean;

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#db = db;
    this.#transactions = transactions;
    this.#save = db.prepare(
      'INSERT INTO scrapers (version, record, id) VALUES (?, ?, ?) ON CONFLICT (id) ' +
        'DO UPDATE SET version = excluded.version, record = excluded.record WHERE scrapers.version < excluded.version',
    );
    this.#delete = db.prepare('DELETE FROM scrapers WHERE id = ?');
    this.#hadScrapers = readMeta(db, 'had_scrapers') === 1;
  }

  /** Whether one was ever saved. */
  get hadScrapers(): boolean {
    return this.#hadScrapers;
  }

  /** Throws a LogOpenError where a record is damaged. */
  load(): readonly ScraperRecord[] {
    const rows = this.#db.prepare('SELECT id, version, record FROM scrapers').all();
    return (rows as unknown as Row[]).map((row) => toRecord(row, this.#db));
  }

  /** Throws an OwnershipLostError where the saved version is not lower. */
  save(scraper: ScraperRecord): void {
    const { id, version } = scraper;
    const record = JSON.stringify(scraper);
    this.#transactions.run(() => {
      const { changes } = this.#save.run(version, record, id);
      if (changes !== 1) {
        throw new OwnershipLostError(
          `scraper ${JSON.stringify(id)} can't be saved as version ${version}: it is saved in that one or a later one`,
        );
      }
      if (!this.#hadScrapers) writeMeta(this.#db, 'had_scrapers', 1);
    });
    this.#hadScrapers = true;
  }

  delete(id: string): void {
    this.#transactions.run(() => this.#delete.run(id));
  }
}

/**
 * Only what a damage would break is looked at: this program alone writes the file. A damaged record is an error, since a scraper
 * that is left out would lose what it has yet to get.
 */
function toRecord({ id, version, record }: Row, db: DatabaseSync): ScraperRecord {
  let parsed: unknown;
  let cause: unknown;
  try {
    parsed = JSON.parse(record);
  } catch (error) {
    cause = error;
  }
  if (isRecord(parsed)) return { ...parsed, id, version };
  throw damagedError(db, `the record of scraper ${JSON.stringify(id)}`, { cause });
}

function isRecord(parsed: unknown): parsed is ScraperRecord {
  if (typeof parsed !== 'object' || parsed === null) return false;
  const { position } = parsed as Partial<ScraperRecord>;
  if (typeof position !== 'object' || position === null || !Number.isSafeInteger(position.head)) return false;
  const { returned, offers, endedOnce, perhapsTimed, repeats, moved, past } = position as Partial<Position>;
  if (!isPast(past)) return false;
  return [returned, endedOnce, perhapsTimed, moved].every(areRanges) && [offers, repeats].every(areOffers);
}

/** An older version wrote none. */
function isPast(past: Partial<Past> | undefined): boolean {
  if (past === undefined) return true;
  const { start, known, ways } = past;
  const areWays = typeof ways === 'object' && Object.values(ways).every(areRanges);
  return areWays && isPlace(known) && (start === undefined || isPlace(start));
}

function areOffers(offers: unknown): boolean {
  return Array.isArray(offers) && offers.every((offer: Partial<Offer> | null) => areRanges(offer?.ranges));
}

function areRanges(ranges: unknown): boolean {
  return (
    Array.isArray(ranges) &&
    ranges.every((each: Partial<Range> | null) => isPlace(each?.after) && isPlace(each?.upTo))
  );
}

function isPlace(place: unknown): boolean {
  return Number.isSafeInteger(place);
}
