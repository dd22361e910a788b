import type { Headers, Row } from '../row.ts';
import { KIB, ask, send } from '../row.ts';

const get = (path: string, status: number, field?: string, headers: Headers = {}): Row => ({
  name: `GET ${path.length > 60 ? `${path.slice(0, 60)}…` : path} ${Object.entries(headers)
    .map(([header, text]) => `${header}: ${text.slice(0, 20)}`)
    .join()}`.trim(),
  bytes: () => ask(path, headers),
  status,
  ...(field !== undefined && { field }),
});

const METRICS: readonly Row[] = [
  get('/metrics?scraper=', 400, 'scraper'),
  get(`/metrics?scraper=${'s'.repeat(129)}`, 400, 'scraper'),
  get('/metrics?scraper=%00', 400, 'scraper'),
  get('/metrics?scraper=a%0Ab', 400, 'scraper'),
  get('/metrics?scraper=%E2%80%AE', 400, 'scraper'),
  get('/metrics?scraper=%FF', 400, 'scraper'),
  get('/metrics?scraper=a&scraper=b', 400, 'scraper'),
  get('/metrics?scraper=%', 400, 'scraper'),
  get('/metrics?peek=', 400, 'peek'),
  get('/metrics?peek=1', 400, 'peek'),
  get('/metrics?peek=true&peek=false', 400, 'peek'),
  get('/metrics?timestamps=', 400, 'timestamps'),
  get('/metrics?timestamps=EXPLICIT', 400, 'timestamps'),
  get('/metrics?timestamps=__proto__', 400, 'timestamps'),
  get('/metrics?=x', 400, 'url'),
  get(`/metrics?${'a=1&'.repeat(101)}`, 400, 'url'),
  get('/metrics?a%00=1&a%00=2', 400, 'a\0'),
  get('/metrics?__proto__=1&__proto__=2', 400, '__proto__'),
  get('/metrics?peek=true&__proto__=1&constructor=2', 200),
  get('/metrics?peek=true', 200, undefined, { Accept: 'text/plain;q=0.0000000000000000001' }),
  get('/metrics?peek=true', 200, undefined, { Accept: `${'a/b;q=0.5,'.repeat(3 * KIB)}*/*` }),
  get('/metrics?peek=true', 200, undefined, { Accept: ';;;,,,==="""' }),
  get('/metrics?peek=true', 200, undefined, { Accept: `text/plain;x="${'\\'.repeat(20 * KIB)}` }),
  get('/metrics?peek=true', 200, undefined, { 'Accept-Encoding': 'gzip;q=x, __proto__' }),
  get('/metrics?peek=true&x=1', 200, undefined, { 'Accept-Encoding': ','.repeat(20 * KIB) }),
  get('/metrics?peek=true', 200, undefined, { 'X-Forwarded-For': '1.1.1.1,'.repeat(3 * KIB) }),
  get('/metrics?peek=true', 200, undefined, { 'X-Real-Ip': '999.999.999.999' }),
  get('/metrics?peek=true&x=2', 200, undefined, { 'X-Forwarded-For': '[::1', 'X-Real-Ip': '%00' }),
  get('/metrics?peek=true', 400, 'X-Scraper-Id', { 'X-Scraper-Id': '' }),
  get('/metrics', 400, 'X-Scraper-Id', { 'X-Scraper-Id': 's'.repeat(129) }),
  get('/metrics?x=1', 400, 'X-Scraper-Id', { 'X-Scraper-Id': 'a\tb' }),
  get('/metrics?peek=true', 200, undefined, { 'X-Prometheus-Scrape-Timeout-Seconds': '-1e999' }),
  get('/metrics?peek=true', 200, undefined, { Range: 'bytes=0-0' }),
  get('/metrics?peek=true', 200, undefined, { 'If-None-Match': '*' }),
  {
    name: 'a scrape with a body',
    bytes: () => send('/metrics?peek=true', 'text/plain', 'x'.repeat(100), {}, 'GET'),
    status: 200,
  },
];

const EVENTS: readonly Row[] = [
  get('/api/v1/events?limit=0', 400, 'limit'),
  get('/api/v1/events?limit=1001', 400, 'limit'),
  get('/api/v1/events?limit=-1', 400, 'limit'),
  get('/api/v1/events?limit=1e2', 400, 'limit'),
  get('/api/v1/events?limit=', 400, 'limit'),
  get('/api/v1/events?limit=1&limit=2', 400, 'limit'),
  get(`/api/v1/events?limit=${'9'.repeat(60_000)}`, 400, 'limit'),
  get('/api/v1/events?after=-1', 400, 'after'),
  get('/api/v1/events?after=0x1', 400, 'after'),
  get('/api/v1/events?after=1.5', 400, 'after'),
  get('/api/v1/events?after=9007199254740992', 400, 'after'),
  get('/api/v1/events?after=9007199254740991', 200),
  get('/api/v1/events?after=%FF', 400, 'after'),
  get('/api/v1/events?__proto__=1', 400, '__proto__'),
  get('/api/v1/events?constructor=1', 400, 'constructor'),
  get('/api/v1/events?=1', 400, 'url'),
];

const forget = (id: string, status: number, field: string): Row => ({
  name: `DELETE of the scraper ${id.slice(0, 40)}, ${id.length} characters`,
  bytes: () => ask(`/api/v1/scrapers/${id}`, {}, 'DELETE'),
  status,
  field,
});

const SCRAPERS: readonly Row[] = [
  forget('nobody', 404, 'id'),
  forget('__proto__', 404, 'id'),
  forget('constructor', 404, 'id'),
  forget('%2e%2e', 404, 'id'),
  forget('..%2fevents', 404, 'id'),
  forget("'%20OR%201=1--", 404, 'id'),
  forget('%00', 400, 'id'),
  forget('x'.repeat(129), 400, 'id'),
  forget('x'.repeat(60_000), 400, 'id'),
  forget('%ff', 400, 'path'),
  forget('a/b', 404, 'path'),
  {
    name: 'DELETE of all scrapers',
    bytes: () => ask('/api/v1/scrapers', {}, 'DELETE'),
    status: 405,
    field: 'method',
  },
  {
    name: 'DELETE of a scraper, with a body that is passed over',
    bytes: () => send('/api/v1/scrapers/x', 'application/json', '{"a":', {}, 'DELETE'),
    status: 404,
    field: 'id',
  },
];

/** What is read: scrapes, the feed, who scrapes. */
export const READING: readonly Row[] = [...METRICS, ...EVENTS, ...SCRAPERS];
