import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { shown } from '../../core/errors.ts';
import { COUNTED_MAX } from '../../core/stored.ts';
import { OwnershipLostError } from '../log.ts';
import { recordFault } from '../recordFault.ts';
import type { ScraperRecord } from '../scraperRecords.ts';
import { readMeta, writeMeta } from './meta.ts';
import { damagedError } from './sqliteError.ts';
import { numberFault } from './storedNumber.ts';
import type { Transactions } from './transactions.ts';

interface Row {
  readonly id: string;
  readonly version: unknown;
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

  /** Throws a LogOpenError where a record is damaged: a scraper that is left out would lose what it has yet to get. */
  load(): readonly ScraperRecord[] {
    return readScrapers(this.#db).map((stored) => {
      if ('record' in stored) return stored.record;
      const { id, why, cause } = stored;
      throw damagedError(this.#db, recordOf(id), { why, cause });
    });
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

/** What an error calls a scraper's record. */
export function recordOf(id: string): string {
  return `the record of scraper ${JSON.stringify(id)}`;
}

/** A record in the file, or what is wrong with it. */
export type StoredScraper =
  | { readonly id: string; readonly record: ScraperRecord }
  | { readonly id: string; readonly why: string; readonly cause?: unknown };

/** All records in the file. */
export function readScrapers(db: DatabaseSync): readonly StoredScraper[] {
  const select = db.prepare('SELECT id, version, record FROM scrapers');
  select.setReadBigInts(true);
  return (select.all() as unknown as Row[]).map(toStored);
}

function toStored({ id, version, record }: Row): StoredScraper {
  const tooHigh = numberFault('version', version, 1, COUNTED_MAX);
  if (tooHigh !== undefined) return { id, why: tooHigh };
  let parsed: unknown;
  try {
    parsed = JSON.parse(record);
  } catch (cause) {
    return { id, why: 'it is not JSON', cause };
  }
  const why = recordFault(parsed) ?? mismatch(parsed as ScraperRecord, id, Number(version));
  return why === undefined ? { id, record: parsed as ScraperRecord } : { id, why };
}

/** The row repeats two fields of the record. */
function mismatch(record: ScraperRecord, id: string, version: number): string | undefined {
  if (record.id !== id) return `its id is ${shown(record.id)}; it must be that of its row`;
  if (record.version === version) return undefined;
  return `version is ${record.version}; it must be that of its row, ${version}`;
}
