import { gzipSync } from 'node:zlib';

/** An event as a flood thinks of it. */
export interface Made {
  readonly labels: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly id?: string;
}

/** Each way in. */
export type Decoder =
  | 'url'
  | 'form'
  | 'json'
  | 'ndjson'
  | 'gzip ndjson'
  | 'cloudevents'
  | 'alertmanager'
  | 'alerts'
  | 'annotations';

/** Ways in that take one event a request. */
const SINGLE: ReadonlySet<Decoder> = new Set<Decoder>(['url', 'form', 'annotations']);
/** A body is below `event.bodyMax`, or below that for NDJSON. */
const BODY_BYTES = 900_000;
const URL_BYTES = 60_000;
/** A second of a fast server's work, so that no request takes longer by its mere size. */
const EVENTS_MAX = 10_000;

/** How many events a request of this decoder brings, where each takes so many bytes. */
export function eventsOf(decoder: Decoder, bytes: number): number {
  if (SINGLE.has(decoder)) return 1;
  const room = decoder.includes('ndjson') ? 4 * BODY_BYTES : BODY_BYTES;
  return Math.max(1, Math.min(EVENTS_MAX, Math.floor(room / (bytes + 120))));
}

/** A head for raw sockets. */
export function headOf(
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>> = {},
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}\r\n`;
}

function posted(path: string, type: string, body: string | Buffer, more: Record<string, string> = {}) {
  const bytes = Buffer.from(body);
  const headers = { 'Content-Type': type, 'Content-Length': bytes.length, ...more };
  return [headOf('POST', path, headers), bytes] as const;
}

const formOf = ({ labels, name, id }: Made): string =>
  new URLSearchParams({
    ...(name !== undefined && { __name__: name }),
    ...labels,
    ...(id !== undefined && { __id__: id }),
  }).toString();

type Request = readonly (Buffer | string)[];

const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';

const MAKERS: Record<Decoder, (events: readonly Made[], first: Made) => Request> = {
  url: (events, first) => {
    const query = formOf(first);
    if (query.length > URL_BYTES) return requestOf('form', events);
    return [headOf('POST', `/event?${query}`, { 'Content-Length': 0 })];
  },
  form: (_events, first) => posted('/event', 'application/x-www-form-urlencoded', formOf(first)),
  json: (events) => posted('/event', JSON_TYPE, JSON.stringify(events)),
  ndjson: (events) => posted('/event', NDJSON, linesOf(events)),
  'gzip ndjson': (events) =>
    posted('/event', NDJSON, gzipSync(linesOf(events), { level: 1 }), { 'Content-Encoding': 'gzip' }),
  cloudevents: (events) =>
    posted('/event', 'application/cloudevents-batch+json', JSON.stringify(events.map(cloudEventOf))),
  alertmanager: (events) => {
    const alerts = events.map((event) => ({ ...alertOf(event), status: 'firing' }));
    const body = { version: '4', status: 'firing', receiver: 'events', alerts };
    return posted('/webhook/alertmanager', JSON_TYPE, JSON.stringify(body));
  },
  alerts: (events) => posted('/api/v2/alerts', JSON_TYPE, JSON.stringify(events.map(alertOf))),
  annotations: (_events, { labels }) => {
    const tags = Object.entries(labels).map(([name, value]) => `${name}:${value}`);
    return posted('/api/annotations', JSON_TYPE, JSON.stringify({ tags, text: 'flood' }));
  },
};

/** One request with events, ready for a socket. */
export function requestOf(decoder: Decoder, events: readonly Made[]): Request {
  return MAKERS[decoder](events, events[0] ?? { labels: {} });
}

const linesOf = (events: readonly Made[]): string => events.map((event) => JSON.stringify(event)).join('\n');

let clouds = 0;
const cloudEventOf = ({ labels, id }: Made) => ({
  specversion: '1.0',
  type: labels['type'] ?? 'flood',
  source: '/flood',
  subject: Object.values(labels).join(' '),
  id: id ?? String((clouds += 1)),
});

const alertOf = ({ labels }: Made) => ({
  labels: { alertname: 'Flood', ...labels },
  startsAt: '2026-11-24T11:50:00.123Z',
  endsAt: '0001-01-01T00:00:00Z',
});
