import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import { offset } from '../../core/offset.ts';
import { COUNTED_MAX, MOMENT_MAX } from '../../core/stored.ts';
import type { IdPlace, NewId } from '../ids.ts';
import { IdPlaces } from './idPlaces.ts';
import { damagedError } from './sqliteError.ts';
import { numberFault } from './storedNumber.ts';
import type { Transactions } from './transactions.ts';

/** Of SHA-256; 128 bits of it leave no chance of two ids with one hash, by accident or by design. */
export const HASH_BYTES = 16;
/** What an id occupies in the file with its index; measured with a million of them. */
export const ID_BYTES = 83;
const COLUMNS = ['place', 'arrived', 'hash', 'entry', 'count'];
const ROW = `(${COLUMNS.map(() => '?').join(', ')})`;
/** Rows that one statement inserts: each statement costs as much as a row. */
const INSERTED_ROWS = 8;
/** So many hashes of ids are kept: of as many as are asked for before a commit, unless a request has many. */
const DIGESTS_MAX = 512;
/** Ids that are read at once when all are: 2 ms. */
const LOADED_ROWS = 5_000;

/** Ids that came together with entries, and when. */
export interface Arrival {
  readonly ids: readonly NewId[];
  /** The offset of the first of the entries. */
  readonly first: number;
  readonly arrived: Millis;
}

/** What was forgotten at once. */
export interface Forgotten {
  readonly ids: number;
  /** Those of them that had not arrived before the moment that was asked for. */
  readonly early: number;
}

/**
 * The ids in the file, numbered from the oldest on. One that is refreshed becomes the newest, and leaves a gap. Each stands there as a
 * hash: a long id costs no more than a short one.
 */
export class IdTable {
  readonly #db: DatabaseSync;
  readonly #transactions: Transactions;
  readonly #insert: StatementSync;
  readonly #insertMany: StatementSync;
  readonly #isAt: StatementSync;
  readonly #entries: StatementSync;
  readonly #refresh: StatementSync;
  readonly #old: StatementSync;
  readonly #delete: StatementSync;
  readonly #counted: StatementSync;
  readonly #first: StatementSync;
  readonly #last: StatementSync;
  readonly #load: StatementSync;
  /** Once they are loaded, of all that are in the file. */
  #places = new IdPlaces();
  /** The last place of which `#places` knows; undefined where it knows all. */
  #loadedUpTo: number | undefined = 0;
  /** Of the ids that were asked for last: those that are new are added next. */
  readonly #digests = new Map<string, string>();
  #count = 0;
  #next = 1;
  /** The latest arrival that a refresh gave. None comes before it, so that the order of the places is that of the arrivals. */
  #refreshedAt = millis(0);

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#db = db;
    this.#transactions = transactions;
    const insert = (rows: number) =>
      db.prepare(`INSERT INTO ids (${COLUMNS.join(', ')}) VALUES ${Array(rows).fill(ROW).join(', ')}`);
    this.#insert = insert(1);
    this.#insertMany = insert(INSERTED_ROWS);
    this.#isAt = db.prepare('SELECT 1 FROM ids NOT INDEXED WHERE place = ? AND hash = ?');
    this.#entries = db.prepare('SELECT entry, count FROM ids NOT INDEXED WHERE place = ?');
    this.#entries.setReadBigInts(true);
    this.#refresh = db.prepare('UPDATE ids SET place = ?, arrived = ? WHERE place = ? AND arrived < ?');
    this.#old = db.prepare(
      'SELECT count(*) AS old FROM (SELECT arrived FROM ids ORDER BY place LIMIT ?) WHERE arrived < ?',
    );
    this.#delete = db.prepare(
      'DELETE FROM ids WHERE place <= (SELECT place FROM ids ORDER BY place LIMIT 1 OFFSET ?)',
    );
    this.#counted = db.prepare('SELECT count(*) AS ids FROM ids');
    this.#first = db.prepare('SELECT place FROM ids ORDER BY place LIMIT 1');
    this.#last = db.prepare('SELECT place, arrived FROM ids ORDER BY place DESC LIMIT 1');
    this.#last.setReadBigInts(true);
    // As two texts, since a row for each takes twice as long. A hash that was cut by damage must not move the others.
    this.#load = db.prepare(
      `SELECT json_group_array(place) AS places, group_concat(substr(hex(substr(hash, 1, ${FINGERPRINT_BYTES})) || '${'00'.repeat(FINGERPRINT_BYTES)}', 1, ${FINGERPRINT_BYTES * 2}), '') AS prints
        FROM (SELECT place, hash FROM ids NOT INDEXED WHERE place > ? ORDER BY place LIMIT ${LOADED_ROWS})`,
    );
    transactions.mended(() => this.reload());
  }

  /** Reads anew what is kept in memory. Throws a LogOpenError where no id could be put behind the last one. */
  reload(): void {
    const { ids } = this.#counted.get() as { ids: number };
    const { place = 0n, arrived = 0n } = this.#last.get() ?? {};
    const why =
      numberFault('the last place', place, 0, COUNTED_MAX) ??
      numberFault('the last arrived', arrived, 0, MOMENT_MAX);
    if (why !== undefined) throw damagedError(this.#db, 'the table ids', { why });
    this.#count = ids;
    this.#next = Number(place) + 1;
    this.#refreshedAt = millis(Number(arrived));
    this.#places = new IdPlaces();
    this.#loadedUpTo = ids === 0 ? undefined : Number.MIN_SAFE_INTEGER;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether all is in memory by which ids are looked for. If it isn't, the first who looks loads it, and others wait. */
  get isLoaded(): boolean {
    return this.#loadedUpTo === undefined;
  }

  /** Loads some of it. */
  loadMore(): void {
    // Damage makes it begin anew, in a table that was made of what can be read.
    this.#transactions.mended(() => this.#loadSome());
  }

  #loadSome(): void {
    if (this.#loadedUpTo === undefined) return;
    const { places, prints } = this.#load.get(this.#loadedUpTo) as { places: string; prints: string | null };
    const bytes = Buffer.from(prints ?? '', 'hex');
    const all = JSON.parse(places) as readonly number[];
    for (const [index, place] of all.entries())
      this.#places.add(bytes.readUInt32BE(index * FINGERPRINT_BYTES), place);
    this.#loadedUpTo = all.at(-1);
  }

  /** Whether an id is known, and which entries it stands for, if that is. */
  find(id: string): { readonly place: IdPlace | undefined } | undefined {
    const digest = digestOf(id);
    if (this.#digests.size === DIGESTS_MAX) this.#digests.clear();
    this.#digests.set(id, digest);
    return this.#transactions.mended(() => {
      const place = this.#placeOf(digest);
      if (place === undefined) return undefined;
      const { entry, count } = this.#entries.get(place) ?? {};
      return { place: placeOf(entry, count) };
    });
  }

  /** Adds ids within the caller's transaction, whose commit the caller tells by `added`. Returns how many were not known. */
  add(arrivals: readonly Arrival[]): number {
    const rows: (number | Uint8Array)[] = [];
    const digests = new Set<string>();
    let place = this.#next;
    for (const { ids, first, arrived } of arrivals) {
      const time = Math.max(arrived, this.#refreshedAt);
      for (const { id, at, count } of ids) {
        const digest = this.#digests.get(id) ?? digestOf(id);
        if (digests.has(digest) || this.#placeOf(digest) !== undefined) continue;
        digests.add(digest);
        rows.push(place, time, bytesOf(digest), first + at, count);
        // Also where that is rolled back: then nothing is at that place, or another.
        this.#places.add(fingerprintOf(digest), place);
        place += 1;
      }
    }
    for (let from = 0; from < rows.length;) {
      const isMany = rows.length - from >= INSERTED_ROWS * COLUMNS.length;
      const upTo = from + (isMany ? INSERTED_ROWS : 1) * COLUMNS.length;
      (isMany ? this.#insertMany : this.#insert).run(...rows.slice(from, upTo));
      from = upTo;
    }
    return place - this.#next;
  }

  /** Hears that the transaction is committed in which so many ids were added. */
  added(count: number): void {
    this.#next += count;
    this.#count += count;
  }

  /** Counts those of the ids that arrived before a moment as arrived now. */
  refresh(ids: readonly string[], arrivedBefore: Millis, now: Millis): void {
    let at = now;
    const refreshed = this.#transactions.run(() => {
      let count = 0;
      at = millis(Math.max(now, this.#refreshedAt));
      for (const id of ids) {
        const digest = digestOf(id);
        const from = this.#placeOf(digest);
        const to = this.#next + count;
        if (from === undefined || this.#refresh.run(to, at, from, arrivedBefore).changes === 0) continue;
        this.#places.add(fingerprintOf(digest), to);
        count += 1;
      }
      return count;
    });
    if (refreshed === 0) return;
    this.#next += refreshed;
    this.#refreshedAt = at;
  }

  /** Forgets up to `rowsMax` ids: what arrived before a moment, then the oldest beyond `idsMax`. */
  forget(arrivedBefore: Millis, idsMax: number, rowsMax: number): Forgotten {
    const { old } = this.#transactions.mended(() => this.#old.get(rowsMax, arrivedBefore)) as { old: number };
    const wanted = Math.max(old, Math.min(this.count - idsMax, rowsMax));
    if (wanted === 0) return { ids: 0, early: 0 };
    const ids = Number(this.#transactions.run(() => this.#delete.run(wanted - 1)).changes);
    this.#count -= ids;
    // Not so many are there: on a page that is damaged there may be others than were counted.
    if (ids === 0) this.#transactions.mended(() => this.reload());
    const first = this.#transactions.mended(() => this.#first.get()) as { place: number } | undefined;
    this.#places.forgetBefore(first?.place ?? this.#next);
    return { ids, early: Math.max(0, ids - old) };
  }

  #placeOf(digest: string): number | undefined {
    while (!this.isLoaded) this.#loadSome();
    let bytes: Uint8Array | undefined;
    return this.#places.find(fingerprintOf(digest), (place) => {
      bytes ??= bytesOf(digest);
      return this.#isAt.get(place, bytes) !== undefined;
    });
  }
}

/** Undefined where it was not written: by an older version, or after damage. */
function placeOf(entry: unknown, count: unknown): IdPlace | undefined {
  const fault = numberFault('entry', entry, 1, COUNTED_MAX) ?? numberFault('count', count, 1, COUNTED_MAX);
  return fault === undefined ? { first: offset(Number(entry)), count: Number(count) } : undefined;
}

/** The beginning of a hash, as far as it is kept in memory. */
const FINGERPRINT_BYTES = 4;

/** An id's hash, with a byte in each character: made three times as fast as one of bytes. */
function digestOf(id: string): string {
  return hash('sha256', id, 'binary');
}

function bytesOf(digest: string): Uint8Array {
  return Buffer.from(digest.slice(0, HASH_BYTES), 'latin1');
}

function fingerprintOf(digest: string): number {
  return (
    ((digest.charCodeAt(0) << 24) |
      (digest.charCodeAt(1) << 16) |
      (digest.charCodeAt(2) << 8) |
      digest.charCodeAt(3)) >>>
    0
  );
}
