import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scope } from '../../src/access/scopes.ts';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from '../../src/access/tokens.ts';
import { OneShotClient } from '../../src/client/client.ts';
import { FORMS } from '../hostile/rows/form.ts';
import { FRAMING } from '../hostile/rows/framing.ts';
import type { Pieces } from '../support/postMutations.ts';
import { randomPosts } from '../support/postMutations.ts';
import { mulberry32 } from '../support/randomEvents.ts';
import { withoutArrivals } from '../support/eventIds.ts';
import { RawClient, request } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

/** An empty line before its first request takes a connection out of the lane, and changes nothing else. */
const LEAVE = Buffer.from('\r\n');

const NDJSON = { 'Content-Type': 'application/x-ndjson' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** `alicesecret`, at the least cost there is. */
const ALICE = '$2y$04$rqbJO1tzD9AftLDCPviC1exa9vm5eqJeDLrQrWXnX5Q7jQ9vURRMy';

const SEED = 32;
const RANDOM_CASES = 1_500;
/**
 * So many turns of the event loop are enough for bytes to reach a server of this process, to be answered, and for the answer to come back,
 * however busy the machine is.
 */
const TURNS = 12;

async function passed(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
}

/** All that a server answers on one connection to what is written piece by piece; dates are left out. */
async function transcript(port: number, pieces: Pieces): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let end = '[open]';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('end', () => (end = '[end]'));
  socket.on('error', () => (end = '[end]'));
  await once(socket, 'connect');
  for (const piece of pieces) {
    if (socket.writable) socket.write(piece);
    await passed();
  }
  socket.destroy();
  return withoutArrivals(text.replaceAll(/^Date: .*$/gm, 'Date: now')) + end;
}

/** One connection after the other: of many at a time, a turn accepts one only. */
async function transcripts(port: number, cases: readonly Pieces[]): Promise<string[]> {
  const all: string[] = [];
  for (const pieces of cases) all.push(await transcript(port, pieces));
  return all;
}

/** Sends the same to two servers, to one of them past its lane, and expects the same answers. */
async function expectSameAnswers(
  lane: RunningServer,
  plain: RunningServer,
  cases: readonly Pieces[],
): Promise<void> {
  const [ours, theirs] = await Promise.all([
    transcripts(lane.port, cases),
    transcripts(
      plain.port,
      cases.map((pieces) => [LEAVE, ...pieces]),
    ),
  ]);
  for (const [index, pieces] of cases.entries())
    expect(ours[index], JSON.stringify(pieces.map((piece) => piece.toString('latin1')))).toBe(theirs[index]);
}

interface Feed {
  readonly events: readonly { readonly series: string; readonly value: number }[];
  readonly next: number;
  readonly end: number;
}

/** What is stored, in no order, and how many requests came to what. */
async function stateOf({ url }: RunningServer, headers: Record<string, string> = {}) {
  const events: string[] = [];
  const get = (path: string) => fetch(url + path, { headers });
  for (let after = 0, end = 1; after < end;) {
    const page = (await (await get(`/api/v1/events?limit=1000&after=${after}`)).json()) as Feed;
    events.push(...page.events.map(({ series, value }) => `${series} ${value}`));
    ({ next: after, end } = page);
  }
  const metrics = await (await get('/metrics?peek=true')).text();
  const counted = metrics.split('\n').filter((line) => COUNTED.test(line));
  return { events: events.toSorted(), counted };
}

const COUNTED = /^events_to_metrics_(?:http_requests|event_count|duplicates|series_overflow)/;

/** How many requests each HTTP server of this process got while something was done, by its port. */
async function parsedDuring(work: () => Promise<unknown>): Promise<(port: number) => number> {
  const counts = new Map<number, number>();
  const listener = (message: unknown) => {
    const { localPort = 0 } = (message as { request: IncomingMessage }).request.socket;
    counts.set(localPort, (counts.get(localPort) ?? 0) + 1);
  };
  subscribe('http.server.request.start', listener);
  await work();
  unsubscribe('http.server.request.start', listener);
  return (port) => counts.get(port) ?? 0;
}

describe('a server with a lane answers as one without', () => {
  let lane: RunningServer;
  let plain: RunningServer;
  beforeAll(async () => {
    lane = await startServer();
    plain = await startServer();
  });
  afterAll(async () => {
    await lane[Symbol.asyncDispose]();
    await plain[Symbol.asyncDispose]();
  });

  const same = async (cases: readonly Pieces[]) => {
    await expectSameAnswers(lane, plain, cases);
    expect(await stateOf(lane)).toEqual(await stateOf(plain));
  };

  it(`random posts, good and broken, seed ${SEED}`, async () => {
    const random = mulberry32(SEED);
    const cases = Array.from({ length: RANDOM_CASES }, (_, n) => randomPosts(random, `c${n}`));
    const parsed = await parsedDuring(() => same(cases));
    // Or else it would prove nothing: many posts stand before anything odd.
    expect(parsed(plain.port) - parsed(lane.port)).toBeGreaterThan(RANDOM_CASES / 3);
  });

  it('the hostile requests that are about framing and URLs, behind a plain post and before one', async () => {
    const post = Buffer.from(request('POST', '/event?a=1'));
    const batch = Buffer.from(request('POST', '/event', NDJSON, '{}\n{}\n'));
    const rows = [...FRAMING, ...FORMS]
      .map((row) => Buffer.from(row.bytes()))
      .filter(({ length }) => length < 4096);
    expect(rows.length).toBeGreaterThan(100);
    await same(
      rows.flatMap((row) => [
        [post, row, post],
        [batch, row, batch],
      ]),
    );
  });

  it.each([
    ['of parameters', request('POST', '/event?type=cut&service=x', { Accept: '*/*' })],
    ['of a body', request('POST', '/event', NDJSON, '{"labels":{"type":"cut"}}\n{}\n')],
  ])('and a post %s byte by byte, or cut anywhere', async (_what, post) => {
    const cuts = Array.from({ length: post.length - 1 }, (_, at) => [
      post.slice(0, at + 1),
      post.slice(at + 1),
    ]);
    expect(cuts).toHaveLength(post.length - 1);
    await same([post.split(''), ...cuts].map((pieces) => pieces.map((piece) => Buffer.from(piece))));
  });
});

/** Tokens of `auth.tokens.file` by the numbers that make them. */
const tokenOf = (n: number) => newToken(new Uint8Array(TOKEN_RANDOM_BYTES).fill(n));
const entryOf = (name: string, n: number, scope: Scope) =>
  tokenEntry({ name, scopes: [scope], hash: hashToken(tokenOf(n)) });
const TOKENS = entryOf('writer', 1, 'write') + entryOf('reader', 2, 'scrape') + entryOf('boss', 3, 'admin');
const bearer = (n: number) => ({ Authorization: `Bearer ${tokenOf(n)}` });
const ofAlice = (password: string) => `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`;
/** Most of them are right: writer's, everybody's, alice's. */
const CREDENTIALS = [
  ...[1, 1, 1, 1, 1, 3, 2, 9].map((n) => `Bearer ${tokenOf(n)}`),
  `bearer  ${tokenOf(1)}`,
  ofAlice('alicesecret'),
  ofAlice('alicesecret'),
  ofAlice('wrong'),
  'Digest x',
];

/** A web configuration with headers for all answers, one of which holds a byte beyond ASCII, and more as given. */
const webWith = (more: string) =>
  'http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Content-Security-Policy: "default-src \u00fc"\n' +
  more;

/** Files for a server. */
function files(web: string, tokens: string) {
  const folder = temporaryFolder();
  const paths = { web: join(folder.path, 'web.yml'), tokens: join(folder.path, 'tokens.yml') };
  writeFileSync(paths.web, web);
  writeFileSync(paths.tokens, tokens);
  const settings = { 'web.config.file': paths.web, 'auth.tokens.file': paths.tokens };
  return { ...folder, paths, settings };
}

describe('a server with credentials, headers and limits answers with a lane as without', () => {
  it(`random posts by those who may and who may not, seed ${SEED}`, async () => {
    using folder = files(webWith(`basic_auth_users:\n  alice: ${ALICE}\n`), TOKENS);
    await using lane = await startServer(folder.settings);
    await using plain = await startServer(folder.settings);
    // Which of them is right is remembered from here on: to compare a password takes more than some turns of the event loop.
    for (const { url } of [lane, plain])
      for (const password of ['alicesecret', 'wrong'])
        await fetch(`${url}/event?a=1`, { method: 'POST', headers: { Authorization: ofAlice(password) } });
    const random = mulberry32(SEED);
    const cases = Array.from({ length: 600 }, (_, n) => randomPosts(random, `c${n}`, CREDENTIALS));
    const parsed = await parsedDuring(() => expectSameAnswers(lane, plain, cases));
    expect(parsed(plain.port) - parsed(lane.port)).toBeGreaterThan(150);
    expect(await stateOf(lane, bearer(3))).toEqual(await stateOf(plain, bearer(3)));
  });

  it('and counts each request once against each limit, whatever becomes of it', async () => {
    using folder = files(webWith('rate_limit: { interval: 1s, burst: 40 }\n'), TOKENS);
    const settings = {
      ...folder.settings,
      'limits.perClient': 1,
      'limits.perClientBurst': 25,
      'limits.total': 1,
      'limits.totalBurst': 20,
    };
    let now = 0;
    const start = () => startServer(settings, undefined, () => now);
    await using lane = await start();
    await using plain = await start();
    const post = (n: number, query: string) => Buffer.from(request('POST', `/event?${query}`, bearer(n)));
    // The second of each is refused: by its token, by its scope, by its rules, or since it has none.
    const cases = [
      post(9, 'a=1'),
      post(2, 'a=1'),
      post(1, 'a=1&a=2'),
      Buffer.from(request('POST', '/event?a=1')),
      post(1, '__id__='),
      post(1, 'partial=1'),
    ].map((refused) => [post(1, 'b=1'), refused, post(1, 'b=2')]);
    const batch = Buffer.from(request('POST', '/event', { ...bearer(1), ...NDJSON }, '{}\n{"value":"x"}\n'));
    await expectSameAnswers(lane, plain, [...cases, [batch, batch], ...cases, ...cases]);
    // A second later one more gets through.
    now += 1_000;
    await expectSameAnswers(lane, plain, cases.slice(0, 1));
    now += 1_000_000;
    expect(await stateOf(lane, bearer(3))).toEqual(await stateOf(plain, bearer(3)));
    expect((await stateOf(lane, bearer(3))).events.length).toBeGreaterThan(10);
  });
});

describe('the lane', () => {
  it('takes posts with an id and a token, through the limits, and answers with the headers of the web configuration', async () => {
    using folder = files(webWith('rate_limit: { interval: 1ms, burst: 1000 }\n'), TOKENS);
    const settings = { ...folder.settings, 'limits.perClient': 1_000, 'limits.total': 1_000 };
    await using server = await startServer(settings);
    const client = await RawClient.connect(server.port);
    const parsed = await parsedDuring(async () => {
      for (const [key, body] of [
        ['"a"', '{"accepted":1}'],
        ['b', '{"accepted":1}'],
        ['a', '{"duplicate":true}'],
      ] as const) {
        client.send(request('POST', '/event?x=1', { ...bearer(1), 'Idempotency-Key': key }));
        const { status, head, body: answered } = await client.response();
        expect({ status, answered }).toEqual({ status: 200, answered: body });
        expect(head).toContain('x-frame-options: deny');
      }
    });
    expect(parsed(server.port)).toBe(0);
  });

  it("takes our own client's posts", async () => {
    using folder = files('{}', TOKENS);
    await using server = await startServer(folder.settings);
    const client = new OneShotClient({ url: server.url, token: tokenOf(1) });
    const parsed = await parsedDuring(async () => {
      for (let n = 0; n < 3; n += 1) {
        const sealed = client.seal({ labels: { type: 'deploy', n } });
        expect(await client.send(sealed)).toMatchObject({ duplicate: false });
        expect(await client.send(sealed)).toMatchObject({ duplicate: true });
        await client.send(client.sealJson('{"labels":{"type":"job"}}'));
      }
    });
    expect(parsed(server.port)).toBe(0);
    expect((await stateOf(server, bearer(3))).events).toHaveLength(6);
  });

  it('takes remembered passwords, and compares others once', async () => {
    using folder = files(`basic_auth_users:\n  alice: ${ALICE}\n`, TOKENS);
    await using server = await startServer(folder.settings);
    const client = await RawClient.connect(server.port);
    const parsed = await parsedDuring(async () => {
      for (let n = 0; n < 3; n += 1) {
        client.send(request('POST', '/event?x=1', { Authorization: ofAlice('alicesecret') }));
        expect((await client.response()).status).toBe(200);
      }
    });
    expect(parsed(server.port)).toBe(0);
    client.send(request('POST', '/event?x=1', { Authorization: ofAlice('wrong') }));
    expect((await client.response()).status).toBe(401);
  });

  it('stores what two connections send at once under one id a single time', async () => {
    await using server = await startServer();
    const clients = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    for (const client of clients) client.send(request('POST', '/event?a=1', { 'Idempotency-Key': 'twice' }));
    const bodies = await Promise.all(clients.map(async (client) => (await client.response()).body));
    expect(bodies.toSorted()).toEqual(['{"accepted":1}', '{"duplicate":true}']);
    expect((await stateOf(server)).events).toHaveLength(1);
  });

  it('knows a token no longer that was taken out of the file, on a connection that used it', async () => {
    using folder = files('{}', TOKENS);
    await using server = await startServer(folder.settings);
    const client = await RawClient.connect(server.port);
    const post = async () => {
      client.send(request('POST', '/event?a=1', bearer(1)));
      return (await client.response()).status;
    };
    const parsed = await parsedDuring(async () => expect([await post(), await post()]).toEqual([200, 200]));
    expect(parsed(server.port)).toBe(0);
    writeFileSync(folder.paths.tokens, entryOf('boss', 3, 'admin'));
    await server.access.check();
    expect(await post()).toBe(401);
  });

  it('answers by a name that is not known as everywhere: 421, unless a token is asked for', async () => {
    using folder = files('{}', TOKENS);
    const post = `POST /event?a=1 HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${tokenOf(1)}\r\n\r\n`;
    for (const [settings, status] of [
      [{}, 421],
      [folder.settings, 200],
    ] as const) {
      await using server = await startServer(settings);
      const client = await RawClient.connect(server.port);
      client.send(post);
      expect((await client.response()).status).toBe(status);
    }
  });

  it('takes plain posts, which the HTTP server never sees, and counts them', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    const parsed = await parsedDuring(async () => {
      for (const query of ['a=1', '__id__=x', '__id__=x']) {
        client.send(request('POST', `/event?${query}`));
        const { status, body } = await client.response();
        expect({ query, status, body }).toMatchObject({
          status: 200,
          body: /^\{"(?:accepted":1(?:,"eventId":"e1-\w+")?|duplicate":true)\}$/,
        });
      }
    });
    expect(parsed(server.port)).toBe(0);
    client.get('/metrics?peek=true');
    expect((await client.response()).body).toContain(
      'events_to_metrics_http_requests_total{code="200",method="POST",route="/event"} 3\n',
    );
  });

  it.each([
    [
      'NDJSON',
      NDJSON,
      '{"labels":{"n":"1"}}\n{"id":"x"}\n',
      [
        '{"accepted":2,"duplicates":0,"eventIds":["e1",null]}',
        '{"accepted":1,"duplicates":1,"eventIds":["e3",null]}',
      ],
    ],
    [
      'one event of JSON',
      JSON_TYPE,
      '{"labels":{"n":"1"}}',
      ['{"accepted":1,"eventId":"e1"}', '{"accepted":1,"eventId":"e2"}'],
    ],
    [
      'several',
      JSON_TYPE,
      '[{"value":1},{"value":2}]',
      [
        '{"accepted":2,"duplicates":0,"eventIds":["e1","e2"]}',
        '{"accepted":2,"duplicates":0,"eventIds":["e3","e4"]}',
      ],
    ],
  ])('takes bodies: %s', async (_what, headers, sent, answers) => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    const parsed = await parsedDuring(async () => {
      for (const answer of answers) {
        client.send(request('POST', '/event', headers, sent));
        const { status, body } = await client.response();
        expect({ status, body: withoutArrivals(body) }).toEqual({ status: 200, body: answer });
      }
    });
    expect(parsed(server.port)).toBe(0);
    expect((await stateOf(server)).events.length).toBeGreaterThan(1);
  });

  it('gives a connection to the HTTP server for good, with the first bytes that are anything else', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    const parsed = await parsedDuring(async () => {
      for (const [method, path] of [
        ['POST', '/event?a=1'],
        ['GET', '/healthz'],
        ['POST', '/event?a=1'],
      ] as const) {
        client.send(request(method, path));
        expect((await client.response()).status).toBe(200);
      }
    });
    expect(parsed(server.port)).toBe(2);
  });

  it('gives away what it refuses, which is stored nowhere and answered once', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    client.send(request('POST', '/event?a=1&a=2'));
    expect(await client.response()).toMatchObject({
      status: 400,
      body: expect.stringContaining('"field":"a"') as string,
    });
    client.send(request('POST', '/event?b=1'));
    expect((await client.response()).status).toBe(200);
    expect((await stateOf(server)).events).toEqual(['events_to_metrics{b="1"} 1']);
  });

  it('leaves URLs that are too long to others', async () => {
    await using server = await startServer({ 'event.urlMax': 1024 });
    const client = await RawClient.connect(server.port);
    const long = `/event?a=${'x'.repeat(1016)}`;
    const parsed = await parsedDuring(async () => {
      client.send(request('POST', long));
      await client.response();
    });
    expect(parsed(server.port)).toBe(1);
  });

  it('asks for a credential as soon as the file does, on connections that are open, too', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'web.yml');
    writeFileSync(file, '{}\n');
    await using server = await startServer({ 'web.config.file': file });
    const client = await RawClient.connect(server.port);
    const post = async () => {
      client.send(request('POST', '/event?a=1'));
      return (await client.response()).status;
    };
    const parsed = await parsedDuring(async () => expect(await post()).toBe(200));
    expect(parsed(server.port)).toBe(0);
    writeFileSync(file, `basic_auth_users:\n  alice: ${ALICE}\n`);
    await server.access.check();
    expect(await post()).toBe(401);
  });

  it('answers what it can not store as the HTTP server does, once', async () => {
    const limit = { 'series.perHourMax': 1 };
    await using lane = await startServer(limit);
    await using plain = await startServer(limit);
    const posts = ['a=1', 'b=2', 'a=1'].map((query) => Buffer.from(request('POST', `/event?${query}`)));
    const ours = await transcript(lane.port, posts);
    const theirs = await transcript(plain.port, [LEAVE, ...posts]);
    expect(ours).toContain('HTTP/1.1 429 ');
    const withoutWait = (text: string) => text.replaceAll(/^retry-after: \d+/gm, 'retry-after: some');
    expect(withoutWait(ours)).toBe(withoutWait(theirs));
    expect(await stateOf(lane)).toEqual(await stateOf(plain));
  });
});

describe('a connection of the lane', () => {
  it('that says nothing gets its 408, as soon as any other', async () => {
    await using server = await startServer({ 'server.headTimeout': 300, 'server.requestTimeout': 600 });
    const client = await RawClient.connect(server.port);
    const started = performance.now();
    expect((await client.response()).status).toBe(408);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('that is idle ends with a stop at once, and one that waits for an answer gets it', async () => {
    const server = await startServer();
    const idle = await RawClient.connect(server.port);
    idle.send(request('POST', '/event?a=1'));
    expect((await idle.response()).status).toBe(200);
    const waiting = await RawClient.connect(server.port);
    waiting.send(request('POST', '/event?b=1'));
    const answer = waiting.response();
    await passed();
    const started = performance.now();
    await server[Symbol.asyncDispose]();
    expect(performance.now() - started).toBeLessThan(1_500);
    expect((await answer).status).toBe(200);
    await expect(idle.bytes(1)).rejects.toThrow('ended after 0');
  });

  it('that is reset, or ended in the middle, harms nobody', async () => {
    await using server = await startServer();
    for (const [index, leave] of ['reset', 'end'].entries()) {
      for (let n = 0; n < 20; n += 1) {
        const client = await RawClient.connect(server.port);
        client.send(request('POST', `/event?n=${n}&i=${index}`));
        if (leave === 'reset') client.reset();
        else client.end();
      }
    }
    const client = await RawClient.connect(server.port);
    client.send(request('POST', '/event?a=1'));
    expect((await client.response()).status).toBe(200);
    expect(server.log.filter((entry) => /"level":"?(?:error|fatal|50|60)/i.test(entry))).toEqual([]);
  });
});
