import type { Millis } from '../../core/millis.ts';
import type { SeriesText } from '../../core/series.ts';
import type { WaitingPost } from '../inbox.ts';
import type { Connection } from './connection.ts';
import { list } from './group.ts';
import type { StoredPost } from './inboxGroup.ts';

/** Posts that are moved at once, and the texts of them, in bytes. */
const POSTS_MAX = 2_000;
const TEXT_BYTES_MAX = 2 * 1024 * 1024;

/** The oldest posts in the inbox, each without the events whose id another post has brought. */
export async function readInbox(connection: Connection, schema: string): Promise<readonly WaitingPost[]> {
  const rows = await connection.query({
    text: `SELECT seq, origin, text FROM (
        SELECT seq, origin, text, sum(octet_length(text)) OVER (ORDER BY seq) - octet_length(text) AS before
        FROM (SELECT seq, origin, text FROM ${schema}.inbox ORDER BY seq LIMIT ${POSTS_MAX}) AS oldest
      ) AS counted WHERE before < ${TEXT_BYTES_MAX} ORDER BY seq`,
    values: [],
  });
  if (rows.length === 0) return [];
  const posts = rows.map(([seq, origin, text]) => ({
    key: Number(seq),
    origin: origin as string,
    stored: JSON.parse((text as Buffer).toString()) as StoredPost,
  }));
  const hashes = posts.flatMap(({ stored }) =>
    stored.e.flatMap(([, , , hash]) => (hash === null ? [] : [hash])),
  );
  const found =
    hashes.length === 0
      ? []
      : await connection.query({
          text: `SELECT replace(hash::text, '-', ''), origin FROM ${schema}.ids WHERE hash = ANY ($1::uuid[])`,
          values: [list(hashes)],
        });
  const origins = new Map(found.map(([hash, origin]) => [hash as string, origin]));
  return posts.map(({ key, origin, stored }) => ({
    key,
    request: stored.r,
    refresh: stored.f ?? [],
    events: stored.e
      .filter(([, , , hash]) => hash === null || origins.get(hash) === origin)
      .map(([series, value, time, hash]) => ({
        series: series as SeriesText,
        value: Number(value),
        time: time as Millis,
        hash: hash ?? undefined,
      })),
  }));
}
