import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const PEMS = join(import.meta.dirname, '../golden/webConfig');

const TRUST = { ca: readFileSync(join(PEMS, 'ca.pem')) };

/** All that comes back to what is sent with the end right behind it, as `nc -N` does. */
async function sendAndEnd(server: RunningServer, ...pieces: string[]): Promise<string> {
  const options = { port: server.port, host: '127.0.0.1', allowHalfOpen: true };
  const socket = server.url.startsWith('https')
    ? connectTls({ ...options, servername: 'localhost', ...TRUST })
    : connectTcp(options);
  for (const piece of pieces) socket.write(piece);
  socket.end();
  return text(socket);
}

async function withTls() {
  using folder = temporaryFolder();
  const file = join(folder.path, 'web.yml');
  const [cert, key] = ['server.pem', 'server.key'].map((name) => JSON.stringify(join(PEMS, name)));
  writeFileSync(file, `tls_server_config: {cert_file: ${cert}, key_file: ${key}}\n`);
  return await startServer({ 'web.config.file': file });
}

/** The lane is closed where posts are limited, however high. */
const NO_LANE = { 'limits.total': 1_000_000, 'limits.totalBurst': 1_000_000 };
const SERVERS: readonly (readonly [string, () => Promise<RunningServer>])[] = [
  ['by the lane', () => startServer()],
  ['by HTTP', () => startServer(NO_LANE)],
  ['over TLS', () => withTls()],
];

const post = (query: string, more = '') => `POST /event?${query} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
const withBody = (type: string, body: string) =>
  `POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const GET = 'GET /metrics?scraper=a HTTP/1.1\r\nHost: localhost\r\n\r\n';

const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);

describe.each(SERVERS)('who ends its own side behind a request, %s,', (_how, start) => {
  it('is answered, whatever the post is, and the connection ends then', async () => {
    await using server = await start();
    for (const [pieces, expected] of [
      [[post('n=1')], ['200']],
      [[withBody('application/json', '{"labels":{"n":"2"}}')], ['200']],
      [[withBody('application/x-ndjson', '{"labels":{"n":"3"}}\n')], ['200']],
      [[withBody('application/x-www-form-urlencoded', 'n=4')], ['200']],
      [[post('n=5') + post('n=6')], ['200', '200']],
      [
        [post('n=7'), post('n=8')],
        ['200', '200'],
      ],
      [[post('a%20b=1&a%20b=2&=')], ['400']],
      [[withBody('application/json', '{')], ['400']],
      [['GET /metrics?peek=true HTTP/1.1\r\nHost: localhost\r\n\r\n'], ['200']],
      [['GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n'], ['200']],
      [[withBody('application/json', '{"labels":{}}').slice(0, -1)], ['400']],
    ] as const)
      expect(statuses(await sendAndEnd(server, ...pieces)), JSON.stringify(pieces)).toEqual(expected);
    const shown = await sendAndEnd(server, 'GET /metrics?peek=true HTTP/1.1\r\nHost: localhost\r\n\r\n');
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) expect(shown).toContain(`events_to_metrics{n="${n}"} 1\n`);
  });
});

it.each(SERVERS.slice(0, 2))(
  'G2: who ends its own side behind a scrape, %s, gets each event once at most, and the next scrape has the rest',
  async (_how, start) => {
    await using server = await start();
    await sendAndEnd(server, GET);
    await sendAndEnd(server, post('n=1'));
    const answers = [await sendAndEnd(server, GET), await sendAndEnd(server, GET)];
    for (const answer of answers) expect(['200', '400']).toContain(statuses(answer)[0]);
    const client = await RawClient.connect(server.port);
    client.get('/metrics?scraper=a');
    answers.push((await client.response()).body);
    client.end();
    expect(answers.filter((answer) => answer.includes('{n="1"} 1'))).toHaveLength(1);
  },
);
