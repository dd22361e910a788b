import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

interface Told {
  readonly status: number;
  readonly accepted?: number;
  readonly duplicate?: boolean;
  readonly delivered?: boolean;
  readonly message?: string;
  readonly ended?: string;
  readonly error?: string;
  readonly field?: string;
  readonly applied: string | null;
  readonly scrapers?: readonly { readonly id: string; readonly state: string }[];
}

const KNOWN = { 'scrapers.known': ['a', 'b'] };

const post = async (server: RunningServer, query: string, init: RequestInit = {}): Promise<Told> => {
  const answer = await fetch(`${server.url}/event?${query}`, { method: 'POST', ...init });
  const applied = answer.headers.get('preference-applied');
  return { status: answer.status, applied, ...((await answer.json()) as object) };
};
/** Two scrapes on one connection: the second proves that the first was read. */
const scrape = async (server: RunningServer, id: string, query = '') => {
  const client = await RawClient.connect(server.port);
  for (let n = 0; n < 2; n += 1) {
    client.get(`/metrics?scraper=${id}${query}`);
    await client.response();
  }
  client.socket.destroy();
};
const labelsIn = async (server: RunningServer) => {
  const { events } = (await (await fetch(`${server.url}/api/v1/events`)).json()) as {
    events: { labels: object }[];
  };
  return events.map(({ labels }) => labels);
};
const isStored = async (server: RunningServer, count: number) => {
  await expect.poll(async () => (await labelsIn(server)).length, { timeout: 20_000 }).toBe(count);
};

describe('a post that waits', () => {
  it('waits for events that lie in many parts of the log, as with the ends of pulses between them', async () => {
    await using server = await startServer({ ...KNOWN, 'pulse.width': 10_000 });
    const body = Array.from({ length: 150 }, (_, n) =>
      JSON.stringify({ labels: { type: 'a' }, timestamp: new Date(Date.now() - (150 - n) * 20_000) }),
    ).join('\n');
    const headers = { 'Content-Type': 'application/x-ndjson' };
    const answer = post(server, 'wait=delivered&timeout=60s&to=a', { body, headers });
    // The feed shows no more at once.
    await isStored(server, 50);
    await scrape(server, 'a', '&timestamps=explicit');
    expect(await answer).toMatchObject({ status: 200, accepted: 150, delivered: true });
  });

  it('is answered with 200 once each scraper has it', async () => {
    await using server = await startServer(KNOWN);
    let isAnswered = false;
    const answer = post(server, 'wait=delivered&timeout=60s&type=deploy').then((told) => {
      isAnswered = true;
      return told;
    });
    await isStored(server, 1);
    await scrape(server, 'a');
    expect(isAnswered).toBe(false);
    await scrape(server, 'b');
    expect(await answer).toMatchObject({
      status: 200,
      accepted: 1,
      delivered: true,
      scrapers: [
        { id: 'a', state: 'delivered' },
        { id: 'b', state: 'delivered' },
      ],
    });
    expect(await labelsIn(server)).toEqual([{ type: 'deploy' }]);
  });

  it('is answered with 202 and the state when its time is over, and is stored', async () => {
    await using server = await startServer(KNOWN);
    expect(await post(server, 'wait=delivered&timeout=50ms&type=deploy')).toMatchObject({
      status: 202,
      accepted: 1,
      delivered: false,
      message: 'stored, but not delivered to every scraper in time; see scrapers',
      scrapers: [
        { id: 'a', state: 'waiting' },
        { id: 'b', state: 'waiting' },
      ],
    });
    expect(await labelsIn(server)).toEqual([{ type: 'deploy' }]);
  });

  it('waits for those that it names, also before they are known', async () => {
    await using server = await startServer(KNOWN);
    const answer = post(server, 'wait=delivered&to=b,later&type=deploy');
    await isStored(server, 1);
    await scrape(server, 'b');
    await scrape(server, 'later');
    expect(await answer).toMatchObject({
      status: 200,
      scrapers: [
        { id: 'b', state: 'delivered' },
        { id: 'later', state: 'delivered' },
      ],
    });
    expect(await post(server, 'wait=delivered&to=b&to=never&timeout=0')).toMatchObject({
      status: 202,
      scrapers: [
        { id: 'b', state: 'waiting' },
        { id: 'never', state: 'absent', message: 'no scraper with this id is known' },
      ],
    });
  });

  it('waits for a first scraper where there is none, and not for who is known by an address alone', async () => {
    await using server = await startServer();
    await (await fetch(`${server.url}/metrics`)).text();
    expect(await post(server, 'wait=delivered&timeout=20ms')).toMatchObject({
      status: 202,
      message: 'stored, but no scraper with an id of its own came in time',
      scrapers: [],
    });
    const answer = post(server, 'wait=delivered');
    await isStored(server, 2);
    await scrape(server, 'first');
    expect(await answer).toMatchObject({ status: 200, scrapers: [{ id: 'first', state: 'delivered' }] });
  });

  it('is answered at once where somebody will never get it', async () => {
    await using server = await startServer({ 'scrapers.lookback': 0 });
    await scrape(server, 'first');
    await post(server, 'n=1&__id__=x');
    await scrape(server, 'first');
    await scrape(server, 'late');
    expect(await post(server, 'wait=delivered&n=1&__id__=x')).toMatchObject({
      status: 202,
      duplicate: true,
      message: 'stored, but not every scraper gets it as it is; see scrapers',
      scrapers: [
        { id: 'first', state: 'delivered' },
        { id: 'late', state: 'beforeItsStart' },
      ],
    });
  });

  it('G1: joins the first if it is repeated under its id', async () => {
    await using server = await startServer({ 'scrapers.known': ['a'] });
    const headers = { 'idempotency-key': 'deploy-42' };
    const both = [1, 2].map(() => post(server, 'wait=delivered&type=deploy', { headers }));
    await isStored(server, 1);
    const third = post(server, 'wait=delivered&type=deploy', { headers });
    await scrape(server, 'a');
    const told = await Promise.all([...both, third]);
    expect(told.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(told.filter(({ accepted }) => accepted === 1)).toHaveLength(1);
    // It is there already.
    expect(await post(server, 'wait=delivered&type=deploy', { headers })).toMatchObject({ status: 200 });
  });

  it('under the key of a request that brought some of its events, and not all, waits for all', async () => {
    await using server = await startServer({ 'scrapers.known': ['a'] });
    await post(server, '__id__=first&n=1');
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'both' };
    const init = { headers, body: '[{"labels":{"n":"1"},"id":"first"},{"labels":{"n":"2"},"id":"second"}]' };
    const query = 'wait=delivered&timeout=0';
    const waiting = { status: 202, scrapers: [{ id: 'a', counts: { waiting: 2 } }] };
    expect(await post(server, query, init)).toMatchObject(waiting);
    expect(await post(server, query, init)).toMatchObject(waiting);
  });

  it('takes batches, in any format, and tells how many are where', async () => {
    await using server = await startServer({ 'scrapers.known': ['a'], 'scrape.eventsMax': 2 });
    await post(server, 'n=0&__id__=old');
    const init = {
      headers: { 'content-type': 'application/x-ndjson' },
      body: '{"labels":{"n":"1"}}\n{"id":"old"}\n{"labels":{"n":"2"}}\n',
    };
    expect(await post(server, 'wait=delivered&timeout=0&env=prod', init)).toMatchObject({
      status: 202,
      accepted: 2,
      duplicates: 1,
      scrapers: [{ id: 'a', state: 'waiting', counts: { waiting: 3 } }],
    });
    expect(await labelsIn(server)).toEqual([{ n: '0' }, { n: '1', env: 'prod' }, { n: '2', env: 'prod' }]);
    await scrape(server, 'a', '&timestamps=explicit');
    await scrape(server, 'a', '&timestamps=explicit');
    const again = { ...init, body: '{"id":"old"}\n' };
    expect(await post(server, 'wait=delivered', again)).toMatchObject({
      status: 200,
      scrapers: [{ id: 'a', state: 'delivered' }],
    });
  });

  it('answers what it refuses at once', async () => {
    await using server = await startServer(KNOWN);
    expect(await post(server, 'wait=delivered&9=1')).toMatchObject({ status: 400 });
    const init = { headers: { 'content-type': 'application/json' }, body: '[{"value":"x"}]' };
    expect(await post(server, 'wait=delivered&partial=true', init)).toMatchObject({
      status: 400,
      refused: 1,
    });
    expect(await post(server, 'wait=delivered', { ...init, body: '[]' })).toMatchObject({
      status: 200,
      accepted: 0,
    });
  });

  it('answers CloudEvents with a body, since it was asked for', async () => {
    await using server = await startServer(KNOWN);
    const headers = { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s', 'ce-id': '1' };
    expect(await post(server, 'wait=delivered&timeout=0', { headers })).toMatchObject({
      status: 202,
      delivered: false,
    });
  });
});

describe('Prefer: wait', () => {
  it('waits so long, and leaves all parameters labels', async () => {
    await using server = await startServer(KNOWN);
    const prefer = (value: string) => ({ headers: { prefer: value } });
    expect(await post(server, 'to=x&timeout=y', prefer('respond-async, wait=0'))).toMatchObject({
      status: 202,
      applied: 'wait=0',
      scrapers: [{ id: 'a' }, { id: 'b' }],
    });
    expect(await labelsIn(server)).toEqual([{ to: 'x', timeout: 'y' }]);
    expect(await post(server, 'n=1', prefer('respond-async'))).toMatchObject({ status: 200, applied: null });
    expect(await post(server, 'wait=delivered&to=a', prefer('wait="0"; x'))).toMatchObject({
      status: 202,
      applied: 'wait=0',
      scrapers: [{ id: 'a' }],
    });
  });

  it('is granted up to wait.timeoutMax', async () => {
    await using server = await startServer({ ...KNOWN, 'wait.timeoutMax': 1_000 });
    for (const wait of ['500', '99999999999999999999']) {
      const answer = await post(server, `n=${wait}`, { headers: { prefer: `wait=${wait}` } });
      expect(answer).toMatchObject({ status: 202, applied: 'wait=1' });
    }
  });
});

describe('what wait means is never in doubt', () => {
  it.each(['timeout=5s&to=a', 'a=wait', 'waits=1&wait_=2&await=3'])('%s are labels', async (query) => {
    await using server = await startServer(KNOWN);
    expect((await post(server, query)).status).toBe(200);
    expect(await labelsIn(server)).toEqual([Object.fromEntries(new URLSearchParams(query))]);
  });

  it('in a body they are labels, also of a post that waits', async () => {
    await using server = await startServer(KNOWN);
    const labels = { wait: 'yes', timeout: '5s', to: 'a' };
    const told = await post(server, 'wait=delivered&timeout=0&to=b', { body: new URLSearchParams(labels) });
    expect(told).toMatchObject({ status: 202, scrapers: [{ id: 'b' }] });
    expect(await labelsIn(server)).toEqual([labels]);
  });

  it.each([
    ['wait=5s', 'wait'],
    ['wait', 'wait'],
    ['w%61it=5s', 'wait'],
    ['a=1&wait=', 'wait'],
    ['wait=delivered&wait=delivered', 'wait'],
    ['wait=delivered&timeout=soon', 'timeout'],
    ['wait=delivered&timeout=11m', 'timeout'],
    ['wait=delivered&timeout=-1s', 'timeout'],
    ['wait=delivered&timeout=1s&timeout=2s', 'timeout'],
    ['wait=delivered&to=', 'to'],
    ['wait=delivered&to=a,,b', 'to'],
    [`wait=delivered&to=${Array.from({ length: 101 }, (_, n) => n).join()}`, 'to'],
  ])('%s is refused, and nothing is stored', async (query, field) => {
    await using server = await startServer(KNOWN);
    // On a connection that begins as the lane's does.
    const client = await RawClient.connect(server.port);
    client.send(`POST /event?n=1 HTTP/1.1\r\nHost: test\r\n\r\n`);
    expect((await client.response()).status).toBe(200);
    client.send(`POST /event?${query} HTTP/1.1\r\nHost: test\r\n\r\n`);
    const { status, body } = await client.response();
    expect({ status, field: (JSON.parse(body) as Told).field }).toEqual({ status: 400, field });
    expect(await labelsIn(server)).toEqual([{ n: '1' }]);
  });
});

it('a name that can be nobody is refused in words that leave sinks their names', async () => {
  await using server = await startServer(KNOWN);
  const { error } = await post(server, 'wait=delivered&to=sink:%00');
  expect(error).toContain('is not the id of a scraper or a sink');
});

describe('G7: those who wait are bounded', () => {
  it('one more is stored, and answered at once; one address gets half of the places', async () => {
    await using server = await startServer({ ...KNOWN, 'wait.postsMax': 4 });
    const first = [1, 2].map((n) => post(server, `wait=delivered&n=${n}`));
    await isStored(server, 2);
    expect(await post(server, 'wait=delivered&n=3')).toMatchObject({
      status: 202,
      accepted: 1,
      message: expect.stringMatching(/half of wait\.postsMax .* your address/) as string,
      ended: 'full',
    });
    const from = async (localAddress: string, n: number) => {
      const client = await RawClient.connect(server.port, { localAddress });
      client.send(`POST /event?wait=delivered&timeout=60s&n=${n} HTTP/1.1\r\nHost: test\r\n\r\n`);
      await isStored(server, n);
      return client;
    };
    const others = [await from('127.0.0.2', 4), await from('127.0.0.2', 5)];
    const third = await (await from('127.0.0.3', 6)).response();
    expect(JSON.parse(third.body)).toMatchObject({
      ended: 'full',
      message: expect.stringMatching(/as many posts as wait\.postsMax/) as string,
    });
    await scrape(server, 'a');
    await scrape(server, 'b');
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    for (const client of others) expect((await client.response()).status).toBe(200);
    // Their places are free again.
    const last = [7, 8].map((n) => post(server, `wait=delivered&timeout=1ms&n=${n}`));
    for (const { ended } of await Promise.all(last)) expect(ended).toBe('timeout');
  });

  it.each(['reset', 'end'])('who goes away by a %s is forgotten', async (how) => {
    await using server = await startServer({ ...KNOWN, 'wait.postsMax': 1 });
    const client = await RawClient.connect(server.port);
    client.send('POST /event?wait=delivered&timeout=600s&n=1 HTTP/1.1\r\nHost: test\r\n\r\n');
    await isStored(server, 1);
    if (how === 'reset') client.socket.resetAndDestroy();
    else client.socket.end();
    await expect
      .poll(async () => (await post(server, 'wait=delivered&timeout=1ms')).message, { timeout: 20_000 })
      .toMatch(/in time/);
  });

  it('a stop answers all of them', async () => {
    const server = await startServer(KNOWN);
    const answers = [1, 2, 3].map((n) => post(server, `wait=delivered&timeout=600s&n=${n}`));
    await isStored(server, 3);
    await server[Symbol.asyncDispose]();
    for (const answer of answers)
      expect(await answer).toMatchObject({
        status: 202,
        message: expect.stringMatching(/stopping/) as string,
      });
  });
});
