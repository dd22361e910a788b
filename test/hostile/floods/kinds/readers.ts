import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAll, open } from '../connection.ts';
import type { Flood, Victim } from '../flood.ts';
import { headOf, requestOf } from '../posts.ts';
import { textsOf } from '../texts.ts';

const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
/** Each format, version and escaping that there is, so that no two of them share what is made for one. */
const ACCEPTS: readonly string[] = [
  PROTOBUF,
  ...['allow-utf-8', 'underscores', 'dots', 'values'].flatMap((escaping) => [
    `${PROTOBUF};escaping=${escaping}`,
    `application/openmetrics-text;version=1.0.0;escaping=${escaping}`,
    `text/plain;version=1.0.0;escaping=${escaping}`,
  ]),
  'application/openmetrics-text;version=0.0.1',
  'text/plain;version=0.0.4',
  '*/*',
];

/** What makes a scrape as large as `scrape.bytesMax` allows: so many events with values of 4,000 bytes. */
const FILLING_EVENTS = 2_400;
const FILLING_BYTES = 4_000;
const FILLING_EACH = 200;
const PIPELINED = 2_000;
/** 80 MB; kind 13 has the log that is too large for memory. */
const FEED_ENTRIES = 20_000;
const AGAIN_MS = 200;

/** Fills the log with what readers ask for. */
async function fill(victim: Victim): Promise<void> {
  const text = textsOf('ascii', FILLING_BYTES, victim.random);
  await askAll(victim, 1, (count) =>
    count * FILLING_EACH >= FILLING_EVENTS
      ? undefined
      : requestOf(
          'json',
          Array.from({ length: FILLING_EACH }, (_, at) => ({
            labels: { filling: text(count * FILLING_EACH + at) },
          })),
        ),
  );
}

/** Opens connections that send something and never read. A connection that is cut is opened again. */
function neverRead(connections: number, text: (connection: number) => string) {
  return async (victim: Victim): Promise<void> => {
    let opened = 0;
    const client = async (): Promise<void> => {
      while (performance.now() < victim.deadline) {
        const socket = await open(victim);
        if (socket === undefined) {
          await sleep(AGAIN_MS);
          continue;
        }
        socket.pause();
        const sent = text((opened += 1));
        socket.write(sent);
        victim.tally.sent(sent.length, sent.split(' HTTP/1.1\r\n').length - 1);
        while (!socket.closed && performance.now() < victim.deadline) await sleep(AGAIN_MS);
        if (socket.closed) victim.tally.broken += 1;
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: connections }, client));
  };
}

const accept = (at: number): string => ACCEPTS[at % ACCEPTS.length] ?? '*/*';
const get = (path: string, headers: Record<string, string> = {}): string => headOf('GET', path, headers);
// An id that nobody has looks back at what is there; an address alone would begin at the log's end.
const peek = (at: number): string => get('/metrics?peek=true&scraper=nobody', { Accept: accept(at) });
const timedPeek = (at: number): string =>
  get('/metrics?peek=true&scraper=nobody&timestamps=explicit', {
    Accept: accept(at),
    'Accept-Encoding': 'gzip',
  });
const post = (at: number): string => headOf('POST', `/event?pipelined=${at}`, { 'Content-Length': 0 });

/** Asks in a tight loop, and reads what it gets. */
function tight(clients: number, text: (count: number) => string) {
  return async (victim: Victim): Promise<void> => {
    await askAll(victim, clients, (count) => [text(count)]);
  };
}

/** Kinds 6, 7 and 12: those who read too little, or too much. */
export const READERS: readonly Flood[] = [
  { kind: 6, name: '100 peeks that never read', prepare: fill, isUsual: true, send: neverRead(100, peek) },
  { kind: 6, name: '1,000 peeks that never read', prepare: fill, isUsual: true, send: neverRead(1000, peek) },
  {
    kind: 6,
    name: '1,000 timed peeks with gzip that never read',
    prepare: fill,
    send: neverRead(1000, timedPeek),
  },
  {
    kind: 6,
    name: '1,000 readers of the feed that never read',
    prepare: fill,
    send: neverRead(1000, (at) => get(`/api/v1/events?limit=1000&after=${at % 1000}`)),
  },
  {
    kind: 6,
    name: '1,000 readers of /docs and /openapi.json that never read',
    send: neverRead(1000, (at) => get(at % 2 === 0 ? '/docs' : '/openapi.json').repeat(10)),
  },
  {
    kind: 6,
    name: '100 scrapers of made-up ids that never read',
    prepare: fill,
    isUsual: true,
    send: neverRead(100, (at) => get(`/metrics?scraper=made-up-${at}`, { Accept: accept(at) })),
  },
  {
    kind: 7,
    name: '50 x 2,000 pipelined peeks, answers unread',
    prepare: fill,
    isUsual: true,
    send: neverRead(50, (at) => peek(at).repeat(PIPELINED)),
  },
  {
    kind: 7,
    name: '50 x 2,000 pipelined posts, answers unread',
    isUsual: true,
    send: neverRead(50, (at) => post(at).repeat(PIPELINED)),
  },
  {
    kind: 7,
    name: '50 x 2,000 pipelined pages of the feed, answers unread',
    prepare: fill,
    send: neverRead(50, () => get('/api/v1/events?limit=1000').repeat(PIPELINED)),
  },
  {
    kind: 7,
    name: '50 x 2,000 pipelined requests that are refused, answers unread',
    send: neverRead(50, (at) => get(`/nowhere-${at}`).repeat(PIPELINED)),
  },
  {
    kind: 7,
    name: '300 x 2,000 pipelined peeks, answers unread',
    isUsual: true,
    send: neverRead(300, (at) => peek(at).repeat(PIPELINED)),
  },
  {
    kind: 7,
    name: '300 x 2,000 pipelined pages of /docs, answers unread',
    send: neverRead(300, () => get('/docs').repeat(PIPELINED)),
  },
  { kind: 12, name: 'peeks in a tight loop', prepare: fill, isUsual: true, send: tight(16, peek) },
  { kind: 12, name: 'timed peeks with gzip in a tight loop', prepare: fill, send: tight(16, timedPeek) },
  {
    kind: 12,
    name: 'pages of the feed in a tight loop',
    isUsual: true,
    setting: { entries: { usual: FEED_ENTRIES, large: FEED_ENTRIES } },
    send: tight(16, (count) => get(`/api/v1/events?limit=1000&after=${(count * 997) % FEED_ENTRIES}`)),
  },
];
