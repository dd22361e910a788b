import { hash } from 'node:crypto';
import type { Entry } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import { millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import { offset } from '../../core/offset.ts';
import type { Block } from '../block.ts';
import { writeBlock } from '../block.ts';
import type { MovedId } from '../inbox.ts';
import type { Change, ChangeOf } from './change.ts';
import type { Row, Statement } from './connection.ts';
import type { Standing } from './standing.ts';
import { BLOCK_BYTES } from './standing.ts';

/** What a group did, as its statement tells. */
export interface Done {
  /** Whether this process still owns the log; if not, nothing was done. */
  readonly isOwner: boolean;
  readonly idsAdded: number;
  /** Scrapers whose saved version was lower, or that were not there. */
  readonly scrapersSaved: number;
  readonly idsForgotten: number;
  /** Those of them that had not arrived before the moment that was asked for. */
  readonly forgottenEarly: number;
  readonly bytesTrimmed: number;
}

/** Changes that are made together, by one statement. Making it changes nothing: it may be done again with the same values. */
export class Group {
  readonly changes: readonly Change[];
  /** What is appended, with the offsets it gets. */
  readonly entries: readonly Entry[];
  readonly scrapers: number;
  readonly #schema: string;
  readonly #blocks: readonly Block[];
  readonly #saves = new Map<string, ChangeOf<'saveScraper'>>();
  readonly #deletes: string[] = [];
  readonly #notes = new Map<string, string>();
  readonly #ids: { hash: string; place: number; arrived: number; entry: number; count: number }[] = [];
  #trim: Offset | undefined;
  #refresh: ChangeOf<'refreshIds'> | undefined;
  #forget: ChangeOf<'forgetIds'> | undefined;
  #move: ChangeOf<'move'> | undefined;
  readonly #before: Standing;

  constructor(changes: readonly Change[], before: Standing, schema: string) {
    this.changes = changes;
    this.#before = before;
    this.#schema = schema;
    const entries: Entry[] = [];
    for (const change of changes) {
      switch (change.kind) {
        case 'append':
          this.#append(change, entries);
          break;
        case 'trim':
          this.#trim = change.upTo;
          break;
        case 'saveScraper':
          this.#saves.set(change.id, change);
          break;
        case 'deleteScraper':
          this.#deletes.push(change.id);
          break;
        case 'saveNote':
          this.#notes.set(change.key, change.text);
          break;
        case 'refreshIds':
          this.#refresh = change;
          break;
        case 'forgetIds':
          this.#forget = change;
          break;
        case 'move':
          this.#append({ kind: 'append', entries: change.entries, ids: [] }, entries);
          this.#move = change;
          break;
        case 'prove':
          break;
        default:
          change satisfies never;
      }
    }
    this.entries = entries;
    this.scrapers = this.#saves.size;
    const blocks: Block[] = [];
    for (let from = 0; from < entries.length; from += (blocks.at(-1) as Block).count)
      blocks.push(writeBlock(entries, from));
    this.#blocks = blocks;
  }

  /** Its statement, which proves an epoch, and leaves its number. `leaseMs`: for how long the ownership is then known. `isShared`: whether others put ids, too: then one that is there fails all of it. */
  statement(epoch: number, number: number, leaseMs: number, isShared: boolean): Statement {
    const values: unknown[] = [];
    const value = (each: unknown, type: string): string => `$${values.push(each)}::${type}`;
    const parts: string[] = [];
    const results: Record<keyof Done, string> = {
      isOwner: '(SELECT count(*) FROM mine)',
      idsAdded: '0',
      scrapersSaved: '0',
      idsForgotten: '0',
      forgottenEarly: '0',
      bytesTrimmed: '0',
    };
    const sets = [
      `written = ${value(number, 'bigint')}`,
      `expires = now() + ${value(leaseMs, 'integer')} * interval '1 millisecond'`,
    ];
    const { blocks, ids, inbox, scrapers, notes } = this.#tables;
    const ifMine = 'EXISTS (SELECT 1 FROM mine)';

    if (this.#trim !== undefined) {
      const upTo = value(this.#trim, 'bigint');
      sets.push(
        `trimmed = ${upTo}`,
        `trimmed_arrived = coalesce((SELECT arrived FROM ${blocks} WHERE last <= ${upTo} ORDER BY last DESC LIMIT 1), trimmed_arrived)`,
      );
      parts.push(
        `cut AS (DELETE FROM ${blocks} WHERE last <= ${upTo} AND ${ifMine} RETURNING octet_length(text) + ${BLOCK_BYTES} AS bytes)`,
      );
      results.bytesTrimmed = '(SELECT coalesce(sum(bytes), 0) FROM cut)';
    }
    if (this.#blocks.length > 0) {
      const rows = this.#blocks.map(
        ({ last, count, arrived, text, checksum }) =>
          `(${value(last, 'bigint')}, ${value(count, 'integer')}, ${value(arrived, 'bigint')}, ${value(Buffer.from(text), 'bytea')}, ${value(checksum, 'bigint')})`,
      );
      parts.push(
        `added AS (INSERT INTO ${blocks} (last, count, arrived, text, checksum)
          SELECT v.* FROM (VALUES ${rows.join(', ')}) AS v WHERE ${ifMine})`,
      );
    }
    if (this.#ids.length > 0) {
      const column = (name: 'place' | 'arrived' | 'entry' | 'count') =>
        value(list(sorted.map((id) => id[name])), 'bigint[]');
      // As all who put ids do, so that two don't wait for each other crosswise.
      const sorted = this.#ids.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
      parts.push(
        `known AS (INSERT INTO ${ids} (hash, place, arrived, entry, count)
          SELECT u.* FROM unnest(${value(list(sorted.map((id) => id.hash)), 'uuid[]')}, ${column('place')}, ${column('arrived')}, ${column('entry')}, ${column('count')}) AS u
          WHERE ${ifMine} ${isShared ? '' : 'ON CONFLICT (hash) DO NOTHING'} RETURNING 1)`,
      );
      results.idsAdded = '(SELECT count(*) FROM known)';
    }
    if (this.#move !== undefined) {
      const { keys, ids: moved } = this.#move;
      const column = (of: (id: MovedId, index: number) => number | undefined) =>
        value(list(moved.map((id, index) => of(id, index) ?? 'NULL')), 'bigint[]');
      const first = this.#before.end + 1;
      const arrived = Math.max(
        this.entries.at(-1)?.arrived ?? this.#before.lastArrived,
        this.#before.refreshedAt,
      );
      parts.push(
        `taken AS (DELETE FROM ${inbox} WHERE seq = ANY (${value(list(keys), 'bigint[]')}) AND ${ifMine})`,
        `placed AS (UPDATE ${ids} AS i SET place = u.place, arrived = ${value(arrived, 'bigint')}, entry = u.entry, count = u.count
          FROM unnest(${value(list(moved.map((id) => id.hash)), 'uuid[]')}, ${column((_, index) => this.#before.nextPlace + index)}, ${column(({ at }) => (at === undefined ? undefined : first + at))}, ${column(({ at, count }) => (at === undefined ? undefined : count))}) AS u (hash, place, entry, count)
          WHERE i.hash = u.hash AND ${ifMine} RETURNING 1)`,
      );
      results.idsAdded = '(SELECT count(*) FROM placed)';
    }
    if (this.#refresh !== undefined) {
      const { ids: refreshed, arrivedBefore } = this.#refresh;
      const arrived = this.#refreshedAt(this.#refresh);
      const places = refreshed.map((_, index) => this.#before.nextPlace + index);
      parts.push(
        `fresh AS (UPDATE ${ids} AS i SET place = u.place, arrived = ${value(arrived, 'bigint')}
          FROM unnest(${value(list(refreshed.map(hashOf)), 'uuid[]')}, ${value(list(places), 'bigint[]')}) AS u (hash, place)
          WHERE i.hash = u.hash AND i.arrived < ${value(arrivedBefore, 'bigint')} AND ${ifMine})`,
      );
    }
    if (this.#forget !== undefined) {
      const { count, arrivedBefore } = this.#forget;
      parts.push(
        `gone AS (DELETE FROM ${ids} WHERE hash IN (SELECT hash FROM ${ids} WHERE place IS NOT NULL ORDER BY place LIMIT ${value(count, 'bigint')}) AND ${ifMine}
          RETURNING CASE WHEN arrived >= ${value(arrivedBefore, 'bigint')} THEN 1 ELSE 0 END AS early)`,
      );
      results.idsForgotten = '(SELECT count(*) FROM gone)';
      results.forgottenEarly = '(SELECT coalesce(sum(early), 0) FROM gone)';
    }
    if (this.#saves.size > 0) {
      sets.push('had_scrapers = true');
      const rows = [...this.#saves.values()].map(
        ({ id, version, record }) =>
          `(${value(Buffer.from(id), 'bytea')}, ${value(version, 'bigint')}, ${value(Buffer.from(record), 'bytea')})`,
      );
      parts.push(
        `saved AS (INSERT INTO ${scrapers} AS s (id, version, record)
          SELECT v.* FROM (VALUES ${rows.join(', ')}) AS v WHERE ${ifMine}
          ON CONFLICT (id) DO UPDATE SET version = excluded.version, record = excluded.record
          WHERE s.version < excluded.version RETURNING 1)`,
      );
      results.scrapersSaved = '(SELECT count(*) FROM saved)';
    }
    if (this.#deletes.length > 0) {
      const deleted = this.#deletes.map((id) => value(Buffer.from(id), 'bytea'));
      parts.push(`dropped AS (DELETE FROM ${scrapers} WHERE id IN (${deleted.join(', ')}) AND ${ifMine})`);
    }
    if (this.#notes.size > 0) {
      const rows = [...this.#notes].map(
        ([key, text]) => `(${value(Buffer.from(key), 'bytea')}, ${value(Buffer.from(text), 'bytea')})`,
      );
      parts.push(
        `noted AS (INSERT INTO ${notes} (key, text)
          SELECT v.* FROM (VALUES ${rows.join(', ')}) AS v WHERE ${ifMine}
          ON CONFLICT (key) DO UPDATE SET text = excluded.text)`,
      );
    }
    const mine = `mine AS (UPDATE ${this.#tables.log} SET ${sets.join(', ')} WHERE epoch = ${value(epoch, 'bigint')} RETURNING 1)`;
    const text = `WITH ${[mine, ...parts].join(',\n')}\nSELECT ${Object.values(results).join(', ')}`;
    return { text, values };
  }

  /** Where the log stands once it is done. Without what the statement told, `ids` and `bytes` have to be counted. */
  after(done: Done | undefined): Standing {
    const before = this.#before;
    const last = this.entries.at(-1);
    const added = this.#blocks.reduce((sum, { text }) => sum + Buffer.byteLength(text) + BLOCK_BYTES, 0);
    return {
      trimmed: this.#trim ?? before.trimmed,
      end: last?.offset ?? before.end,
      lastArrived: last?.arrived ?? before.lastArrived,
      bytes: before.bytes + added - (done?.bytesTrimmed ?? 0),
      ids: before.ids + (done === undefined ? 0 : done.idsAdded - done.idsForgotten),
      hadScrapers: before.hadScrapers || this.#saves.size > 0,
      nextPlace:
        before.nextPlace +
        this.#ids.length +
        (this.#refresh?.ids.length ?? 0) +
        (this.#move?.ids.length ?? 0),
      refreshedAt: this.#refresh === undefined ? before.refreshedAt : this.#refreshedAt(this.#refresh),
    };
  }

  /** No id counts as arrived before one that came earlier. */
  #refreshedAt({ arrived }: ChangeOf<'refreshIds'>): Millis {
    return millis(Math.max(arrived, this.#before.lastArrived, this.#before.refreshedAt));
  }

  #append({ entries: added, ids }: ChangeOf<'append'>, entries: Entry[]): void {
    let place: number = entries.at(-1)?.offset ?? this.#before.end;
    const first = place + 1;
    for (const { kind, series, value, time, arrived } of added) {
      place += 1;
      entries.push({ offset: offset(place), kind, series, value, time, arrived });
    }
    const arrived = Math.max(added.at(-1)?.arrived ?? 0, this.#before.refreshedAt);
    for (const { id, at, count } of ids)
      this.#ids.push({
        hash: hashOf(id),
        place: this.#before.nextPlace + this.#ids.length,
        arrived,
        entry: first + at,
        count,
      });
  }

  get #tables() {
    const named = (table: string) => `${this.#schema}.${table}`;
    return {
      log: named('log'),
      blocks: named('blocks'),
      ids: named('ids'),
      inbox: named('inbox'),
      scrapers: named('scrapers'),
      notes: named('notes'),
    };
  }
}

/** Reads what a group's statement tells. */
export function readDone([row = []]: readonly Row[]): Done {
  const [isOwner, idsAdded, scrapersSaved, idsForgotten, forgottenEarly, bytesTrimmed] = row.map(Number);
  return {
    isOwner: isOwner === 1,
    idsAdded: idsAdded ?? 0,
    scrapersSaved: scrapersSaved ?? 0,
    idsForgotten: idsForgotten ?? 0,
    forgottenEarly: forgottenEarly ?? 0,
    bytesTrimmed: bytesTrimmed ?? 0,
  };
}

/** 128 bits of an id's SHA-256, which leave no chance of two ids with one hash, by accident or by design; as the text of a `uuid`. */
export function hashOf(id: string): string {
  return hash('sha256', id, 'hex').slice(0, 32);
}

/** A list as PostgreSQL reads it, of what needs no quotes. */
export function list(items: readonly (string | number)[]): string {
  return `{${items.join(',')}}`;
}
