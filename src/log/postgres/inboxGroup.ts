import type { InboxPost, Put } from '../inbox.ts';
import type { Connection, Row, Statement } from './connection.ts';
import { hashOf, list } from './group.ts';

/** A post that waits to be put. */
export interface InboxCall {
  readonly post: InboxPost;
  readonly refresh: readonly string[];
  /** Unique among those of this server. */
  readonly name: string;
  readonly hashes: PostHashes;
  readonly bytes: number;
  /** When it came, in ms of monotonic time. */
  readonly at: number;
  readonly resolve: (put: Put) => void;
  readonly reject: (why: Error) => void;
}

/** What the ids of a post are remembered by. */
export interface PostHashes {
  readonly request: string | undefined;
  /** Of each event, in their order. */
  readonly events: readonly (string | undefined)[];
}

export function hashesOf({ events, requestId }: InboxPost): PostHashes {
  return {
    request: requestId === undefined ? undefined : hashOf(requestId),
    events: events.map(({ id }) => (id === undefined ? undefined : hashOf(id))),
  };
}

const CALLS_MAX = 2_000;
const HASHES_MAX = 20_000;
/** Of what a statement holds, in bytes. */
const BYTES_MAX = 4 * 1024 * 1024;

/** Posts that are put together, by one statement, which may be sent again with the same values. */
export class InboxGroup {
  /** Of this server's groups. */
  readonly number: number;
  readonly #calls: readonly InboxCall[];
  readonly #replica: string;
  readonly #schema: string;

  constructor(calls: readonly InboxCall[], replica: string, number: number, schema: string) {
    this.#calls = calls;
    this.#replica = replica;
    this.number = number;
    this.#schema = schema;
  }

  /** Those of the calls that go together, one at least. Of two that share an id, the second waits: what became of the first decides. */
  static take(calls: readonly InboxCall[]): { readonly taken: InboxCall[]; readonly left: InboxCall[] } {
    const seen = new Set<string>();
    const taken: InboxCall[] = [];
    const left: InboxCall[] = [];
    let bytes = 0;
    for (const call of calls) {
      const { request, events } = call.hashes;
      const all = request === undefined ? events : [request, ...events];
      const isFull =
        taken.length > 0 &&
        (taken.length === CALLS_MAX || seen.size + all.length > HASHES_MAX || bytes + call.bytes > BYTES_MAX);
      if (isFull || all.some((hash) => hash !== undefined && seen.has(hash))) {
        left.push(call);
        continue;
      }
      for (const hash of all) if (hash !== undefined) seen.add(hash);
      bytes += call.bytes;
      taken.push(call);
    }
    return { taken, left };
  }

  /** Ids first, sorted, so that two servers don't wait for each other crosswise; then the posts that have something to be stored. */
  statement(epoch: number): Statement {
    const values: unknown[] = [];
    const value = (each: unknown, type: string): string => `$${values.push(each)}::${type}`;
    const ids = `${this.#schema}.ids`;
    const ifMine = 'EXISTS (SELECT 1 FROM mine)';
    const requests = this.#requests.toSorted(byHash);
    const events = this.#events.toSorted(byHash);
    const column = (items: readonly string[], type: string) => value(list(items), type);
    const rows = this.#calls.map((call) => {
      const isNeeded =
        call.hashes.request === undefined &&
        (call.hashes.events.length === 0 || call.hashes.events.includes(undefined));
      return `(${value(this.#originOf(call), 'text')}, ${value(call.post.arrived, 'bigint')}, ${value(Buffer.from(textOf(call)), 'bytea')}, ${isNeeded})`;
    });
    const text = `WITH mine AS (UPDATE ${this.#schema}.replicas SET written = ${value(this.number, 'bigint')}, seen = now()
        WHERE id = ${value(this.#replica, 'text')} AND epoch = ${value(epoch, 'bigint')} RETURNING 1),
      reqs AS (INSERT INTO ${ids} (hash, arrived, origin)
        SELECT u.hash, u.arrived, u.origin
        FROM unnest(${column(
          requests.map(({ hash }) => hash),
          'uuid[]',
        )}, ${column(
          requests.map(({ arrived }) => String(arrived)),
          'bigint[]',
        )}, ${column(
          requests.map(({ origin }) => origin),
          'text[]',
        )}) AS u (hash, arrived, origin)
        WHERE ${ifMine} ORDER BY u.hash ON CONFLICT (hash) DO NOTHING RETURNING hash, origin),
      fresh AS (INSERT INTO ${ids} (hash, arrived, origin)
        SELECT u.hash, u.arrived, u.origin
        FROM unnest(${column(
          events.map(({ hash }) => hash),
          'uuid[]',
        )}, ${column(
          events.map(({ arrived }) => String(arrived)),
          'bigint[]',
        )}, ${column(
          events.map(({ origin }) => origin),
          'text[]',
        )}, ${column(
          events.map(({ request }) => request ?? 'NULL'),
          'uuid[]',
        )}) AS u (hash, arrived, origin, request)
        WHERE ${ifMine} AND (u.request IS NULL OR u.request IN (SELECT hash FROM reqs))
        ORDER BY u.hash ON CONFLICT (hash) DO NOTHING RETURNING hash, origin),
      put AS (INSERT INTO ${this.#schema}.inbox (origin, arrived, text)
        SELECT v.origin, v.arrived, v.text FROM (VALUES ${rows.join(', ')}) AS v (origin, arrived, text, needed)
        WHERE ${ifMine} AND (v.needed OR v.origin IN (SELECT origin FROM reqs) OR v.origin IN (SELECT f.origin FROM fresh AS f)))
      SELECT NULL AS hash FROM mine
      UNION ALL SELECT replace(hash::text, '-', '') FROM reqs
      UNION ALL SELECT replace(hash::text, '-', '') FROM fresh`;
    return { text, values };
  }

  /** The hashes that were new, as the statement tells; undefined where it did nothing. */
  readFresh(rows: readonly Row[]): ReadonlySet<string> | undefined {
    if (!rows.some(([hash]) => hash === null)) return undefined;
    return new Set(rows.flatMap(([hash]) => (hash === null ? [] : [hash as string])));
  }

  /** The same, looked up after the statement's answer was lost. */
  async freshOf(connection: Connection): Promise<ReadonlySet<string>> {
    const own = [...this.#requests, ...this.#events];
    const rows = await connection.query({
      text: `SELECT replace(hash::text, '-', ''), origin FROM ${this.#schema}.ids WHERE hash = ANY ($1::uuid[])`,
      values: [list(own.map(({ hash }) => hash))],
    });
    const origins = new Map(own.map(({ hash, origin }) => [hash, origin]));
    return new Set(
      rows.flatMap(([hash, origin]) => (origins.get(hash as string) === origin ? [hash as string] : [])),
    );
  }

  /** Tells all who wait. */
  settle(fresh: ReadonlySet<string>): void {
    for (const { post, hashes, resolve } of this.#calls) {
      const isKnownRequest = hashes.request !== undefined && !fresh.has(hashes.request);
      const known = new Set<string>();
      for (const [index, { id }] of post.events.entries())
        if (id !== undefined && !fresh.has(hashes.events[index] as string)) known.add(id);
      resolve({ isKnownRequest, known });
    }
  }

  get #requests() {
    return this.#calls.flatMap((call) =>
      call.hashes.request === undefined
        ? []
        : [{ hash: call.hashes.request, arrived: call.post.arrived, origin: this.#originOf(call) }],
    );
  }

  get #events() {
    return this.#calls.flatMap((call) => {
      const { request, events } = call.hashes;
      const { arrived } = call.post;
      const origin = this.#originOf(call);
      return events.flatMap((hash) => (hash === undefined ? [] : [{ hash, arrived, origin, request }]));
    });
  }

  #originOf({ name }: InboxCall): string {
    return `${this.#replica}/${name}`;
  }
}

function byHash(a: { readonly hash: string }, b: { readonly hash: string }): number {
  return a.hash < b.hash ? -1 : 1;
}

/** What JSON has no number for is a text. */
type StoredValue = number | string;

/** A post as it lies in the inbox. */
export interface StoredPost {
  /** Each: series, value, time, and what its id is remembered by. */
  readonly e: readonly (readonly [series: string, value: StoredValue, time: number, hash: string | null])[];
  readonly r?: string | undefined;
  readonly f?: readonly string[];
}

function textOf({ post, hashes, refresh }: InboxCall): string {
  const stored: StoredPost = {
    e: post.events.map(({ series, value, time }, index) => [
      series,
      Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value),
      time,
      hashes.events[index] ?? null,
    ]),
    r: hashes.request,
    ...(refresh.length > 0 && { f: refresh }),
  };
  return JSON.stringify(stored);
}
