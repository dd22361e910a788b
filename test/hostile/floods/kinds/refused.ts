import { hashSync } from 'bcryptjs';
import { askAll } from '../connection.ts';
import type { Flood, Victim } from '../flood.ts';
import { headOf } from '../posts.ts';

const USER = 'prometheus:correct horse';
const [NAME, PASSWORD] = USER.split(':') as [string, string];
const COST = 10;
const GUESSERS = 64;
const CLIENTS = 8;
const MANY_CLIENTS = 64;
const MILLION = 1_000_000;
const ITEMS = 100_000;

function guesses(made: (count: number) => Record<string, string>) {
  return (victim: Victim): Promise<void> =>
    askAll(victim, GUESSERS, (count) => {
      const guess = Buffer.from(`${NAME}:wrong-${victim.random.next()}`).toString('base64');
      return [
        headOf('POST', '/event?a=b', {
          Authorization: `Basic ${guess}`,
          'Content-Length': 0,
          ...made(count),
        }),
      ];
    });
}

/** Requests that are refused for their last byte, or for each of their items. */
function refused(path: string, type: string, body: Buffer) {
  const head = headOf('POST', path, { 'Content-Type': type, 'Content-Length': body.length });
  return (victim: Victim): Promise<void> => askAll(victim, CLIENTS, () => [head, body]);
}

const withPasswords = () => ({
  flags: ['--web.config.file=$FOLDER/web.yml'],
  files: { 'web.yml': `basic_auth_users:\n  ${NAME}: ${hashSync(PASSWORD, COST)}\n` },
  user: USER,
});
const address = (count: number): string => `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`;
const repeated = (item: string, last: string): Buffer =>
  Buffer.from(`[${`${item},`.repeat(Math.floor(MILLION / (item.length + 1)))}${last}]`);
const JSON_TYPE = 'application/json';
const GOOD = '{"labels":{"a":"b"}}';
/** Each chunk is an object of its own, of a body that is too long in the end. */
const CHUNKED = `${headOf('POST', '/event', { 'Content-Type': JSON_TYPE, 'Transfer-Encoding': 'chunked' })}${'1\r\n \r\n'.repeat(MILLION)}0\r\n\r\n`;
const BAD_LINES = Buffer.from('{"value":"x"}\n'.repeat(ITEMS));
const BAD_ARRAY = Buffer.from(`[${'{"v":1},'.repeat(ITEMS - 1)}{"v":1}]`);

/** Kinds 11, 14 and 15: what is refused, and what it costs to refuse it. */
export const REFUSED: readonly Flood[] = [
  {
    kind: 11,
    name: 'wrong passwords, made-up X-Real-Ip',
    isUsual: true,
    get setting() {
      return withPasswords();
    },
    send: guesses((count) => ({ 'X-Real-Ip': address(count) })),
  },
  {
    kind: 11,
    name: 'wrong passwords, made-up X-Forwarded-For',
    get setting() {
      return withPasswords();
    },
    send: guesses((count) => ({ 'X-Forwarded-For': `${address(count)}, 10.0.0.1` })),
  },
  {
    kind: 14,
    name: 'ids of scrapers',
    isUsual: true,
    send: (victim) =>
      askAll(victim, MANY_CLIENTS, (count) => [
        headOf('GET', `/metrics?scraper=${'s'.repeat(200)}-${count}`),
      ]),
  },
  {
    kind: 14,
    name: 'ids of scrapers in a header, Cyrillic',
    send: (victim) =>
      askAll(victim, MANY_CLIENTS, (count) => [
        headOf('GET', '/metrics', { 'X-Scraper-Id': `${'ж'.repeat(60)}-${count}` }),
      ]),
  },
  {
    kind: 14,
    name: 'warnings: a hundred ids, each from many connections and by proxies',
    isUsual: true,
    send: (victim) =>
      askAll(victim, MANY_CLIENTS, (count) => [
        headOf('GET', `/metrics?scraper=shared-${count % 90}`, {
          'X-Forwarded-For': address(count),
          Via: `1.1 proxy-${count}`,
          'User-Agent': `agent-${count}`,
        }),
      ]),
  },
  {
    kind: 15,
    name: '1 MB of JSON, wrong in its last byte',
    isUsual: true,
    send: refused('/event', JSON_TYPE, repeated(GOOD, '{"labels":{"a":"b"}')),
  },
  {
    kind: 15,
    name: '100,000 refused lines with partial=true',
    isUsual: true,
    send: refused('/event?partial=true', 'application/x-ndjson', BAD_LINES),
  },
  {
    kind: 15,
    name: '100,000 refused items of JSON with partial=true',
    send: refused('/event?partial=true', JSON_TYPE, BAD_ARRAY),
  },
  {
    kind: 15,
    name: '1 MB of CloudEvents, wrong in the last',
    send: refused(
      '/event',
      'application/cloudevents-batch+json',
      repeated('{"specversion":"1.0","type":"t","source":"/s","id":"1"}', '{"specversion":"1.0"}'),
    ),
  },
  {
    kind: 15,
    name: '1 MB of alerts, wrong in the last byte',
    send: refused('/api/v2/alerts', JSON_TYPE, repeated('{"labels":{"alertname":"x"}}', '{]')),
  },
  {
    kind: 15,
    name: '1 MB in chunks of a byte',
    isUsual: true,
    send: (victim) => askAll(victim, CLIENTS, () => [CHUNKED]),
  },
];
