import { describe, expect, it } from 'vitest';
import type { ClientOptions, Retry } from './client.ts';
import { OneShotClient } from './client.ts';
import { endpoint } from './endpoint.ts';

const OK = () => new Response('{"accepted":1}');
const NO =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response('{"error":"no","field":"f"}', { status, headers });
const DOWN = () => {
  throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') });
};
const SILENT = (_url: string, { signal }: RequestInit) =>
  new Promise<Response>((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });

type Act = (url: string, init: RequestInit) => Response | Promise<Response>;

/** A client in a world of its own, where time passes only by sleeping, and each request meets the next act; the last one stays. */
function world(acts: readonly Act[], options: Partial<ClientOptions> = {}) {
  let now = 1_700_000_000_000;
  const requests: { url: string; init: RequestInit; headers: Headers; at: number }[] = [];
  const retries: Retry[] = [];
  const timers: { due: number; wake: () => void }[] = [];
  const client = new OneShotClient({
    url: 'http://server:8090',
    onRetry: (retry) => retries.push(retry),
    ...options,
    platform: {
      now: () => now,
      elapsed: () => now - 1_700_000_000_000,
      random: () => 0,
      randomId: () => `id-${requests.length}`,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const timer = { due: now + ms, wake: resolve };
          timers.push(timer);
          const stop = () => {
            timers.splice(timers.indexOf(timer), 1);
            reject(signal?.reason as Error);
          };
          signal?.addEventListener('abort', stop, { once: true });
        }),
      fetch: async (url, init) => {
        requests.push({ url, init, headers: new Headers(init.headers), at: now });
        const act = acts[Math.min(requests.length, acts.length) - 1];
        if (act === undefined) throw new Error('no act');
        return act(url, init);
      },
    },
  });
  /** Lets time pass until the promise has settled. */
  async function settled<T>(promise: Promise<T>): Promise<T> {
    const state = { done: false };
    const watched = promise.finally(() => (state.done = true));
    watched.catch(() => undefined);
    while (!state.done) {
      await new Promise((resolve) => setImmediate(resolve));
      if (state.done) break;
      const next = timers.toSorted((a, b) => a.due - b.due)[0];
      if (next === undefined) continue;
      timers.splice(timers.indexOf(next), 1);
      now = Math.max(now, next.due);
      next.wake();
    }
    return watched;
  }
  return { client, requests, retries, settled };
}

describe('a push', () => {
  it('is a form with one id and its own time, and who sends', async () => {
    const { client, requests, settled } = world([OK], { token: 'secret' });
    const receipt = await settled(client.push({ labels: { type: 'deploy' } }));
    expect(receipt).toEqual({ id: 'id-0', time: 1_700_000_000_000, duplicate: false, attempts: 1 });
    const [{ url, init, headers } = { url: '', init: {}, headers: new Headers() }] = requests;
    expect([url, init.method, init.redirect]).toEqual(['http://server:8090/event', 'POST', 'manual']);
    expect(init.body).toBe('type=deploy&__timestamp__=2023-11-14T22%3A13%3A20.000Z');
    expect(headers.get('idempotency-key')).toBe('"id-0"');
    expect(headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(headers.get('authorization')).toBe('Bearer secret');
  });

  it('has its id in quotes, those within it escaped', async () => {
    const { client, requests, settled } = world([OK]);
    await settled(client.push({ id: String.raw`a "b" \c` }));
    expect(requests[0]?.headers.get('idempotency-key')).toBe(String.raw`"a \"b\" \\c"`);
  });

  it('may name a user, whose password may be any text', async () => {
    const { client, requests, settled } = world([OK], { user: { name: 'ci', password: 'pä:ß' } });
    await settled(client.push({}));
    const header = requests[0]?.headers.get('authorization') ?? '';
    expect(Buffer.from(header.replace('Basic ', ''), 'base64').toString('utf8')).toBe('ci:pä:ß');
  });

  it('repeats the very same request until it is answered: one id, one time, one body', async () => {
    const { client, requests, retries, settled } = world([DOWN, NO(503), SILENT, OK]);
    const receipt = await settled(client.push({ value: 1 }));
    expect(receipt).toMatchObject({ id: 'id-0', attempts: 4 });
    expect(new Set(requests.map(({ init }) => init.body)).size).toBe(1);
    expect(new Set(requests.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(1);
    expect(retries).toEqual([
      { attempt: 1, delayMs: 100, message: 'connect ECONNREFUSED 127.0.0.1:1' },
      { attempt: 2, delayMs: 200, message: 'no (503)' },
      { attempt: 3, delayMs: 400, message: 'no answer within 10000 ms' },
    ]);
  });

  it('waits as long as Retry-After asks', async () => {
    const { client, requests, settled } = world([NO(429, { 'retry-after': '7' }), OK]);
    await settled(client.push({}));
    expect((requests[1]?.at ?? 0) - (requests[0]?.at ?? 0)).toBe(7_000);
  });

  it('ends within its time, however long each attempt may take', async () => {
    const { client, requests, settled } = world([SILENT]);
    await expect(settled(client.push({}))).rejects.toMatchObject({
      reason: 'unavailable',
      status: undefined,
    });
    expect(requests.map(({ at }) => at - 1_700_000_000_000)).toEqual([0, 10_100, 20_300]);
  });

  it('ends after so many attempts', async () => {
    const { client, requests, settled } = world([NO(500)], { retry: { attemptsMax: 3 } });
    await expect(settled(client.push({}))).rejects.toThrow('no (500) (after 3 attempts)');
    expect(requests).toHaveLength(3);
  });

  it.each([
    [400, 'refused'],
    [401, 'denied'],
    [404, 'denied'],
  ])('is not repeated after %i', async (status, reason) => {
    const { client, requests, settled } = world([NO(status)]);
    await expect(settled(client.push({}))).rejects.toMatchObject({ name: 'PushError', reason, status });
    expect(requests).toHaveLength(1);
  });

  it('ends when its signal says so: before, in the midst of a request, and between two', async () => {
    const before = world([OK]);
    await expect(before.client.push({}, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow(
      'stop',
    );
    expect(before.requests).toHaveLength(0);
    for (const act of [SILENT, DOWN]) {
      const { client, requests } = world([act]);
      const stop = new AbortController();
      const pushed = client.push({}, { signal: stop.signal });
      await new Promise((resolve) => setImmediate(resolve));
      stop.abort(new Error('stop'));
      await expect(pushed).rejects.toThrow('stop');
      expect(requests).toHaveLength(1);
    }
  });

  it('reads no more of an answer than any answer has', async () => {
    const endless = () =>
      new Response(
        new ReadableStream({ pull: (to) => to.enqueue(new TextEncoder().encode('x'.repeat(10_000))) }),
      );
    const { client, settled } = world([endless]);
    await expect(settled(client.push({}))).rejects.toMatchObject({ reason: 'denied' });
  });
});

describe("a server's address", () => {
  it.each([
    ['http://a:1', 'http://a:1/event'],
    ['http://a:1/', 'http://a:1/event'],
    ['https://a/events//?x=1#y', 'https://a/events/event'],
  ])('%s leads to %s', (server, url) => {
    expect(endpoint(server, 'event').href).toBe(url);
  });

  it.each([
    ['a:8090', 'url "a:8090" is not a valid server URL: begin it with http:// or https://'],
    ['localhost', 'url "localhost" is not a valid server URL: begin it with http:// or https://'],
    ['/x', 'url "/x" is not a valid server URL: begin it with http:// or https://'],
    ['x'.repeat(100), `url "${'x'.repeat(60)}" is not`],
    [undefined as unknown as string, 'url "undefined" is not a valid server URL'],
    ['http://me:pw@a', 'url is not a valid server URL: it must not contain credentials'],
    ['me:pw@a', 'url is not a valid server URL: begin it with'],
  ])('%s is none, which the client says with what to do', (url, message) => {
    const make = () => new OneShotClient({ url });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});

describe('credentials that no header can hold', () => {
  it.each([
    [{ token: 'secret\n' }, 'token must be printable ASCII'],
    [{ token: '' }, 'token must be printable ASCII'],
    [{ user: { name: 'a:b', password: 'secret' } }, 'user.name must not contain a colon'],
  ])('%j', (credentials, message) => {
    const make = () => new OneShotClient({ url: 'http://a', ...credentials });
    expect(make).toThrow(message);
    expect(make).not.toThrow('secret\n');
  });
});

describe('waiting for delivery', () => {
  const WAITED = (delivered: boolean, ended = 'timeout', headers: Record<string, string> = {}) => {
    const scrapers = [{ id: 'a', state: delivered ? 'delivered' : 'waiting' }];
    const why = delivered ? {} : { ended, message: 'why' };
    return () =>
      new Response(JSON.stringify({ duplicate: true, delivered, ...why, scrapers }), {
        status: delivered ? 200 : 202,
        headers,
      });
  };
  const EVENT = { id: 'x', labels: { type: 'deploy' } };

  it('stores the event, then posts it again under its id to wait, and tells the state', async () => {
    const { client, requests, settled } = world([OK, WAITED(true)]);
    const receipt = await settled(client.push(EVENT, { wait: { to: ['a', 'b/c'] } }));
    expect(receipt).toMatchObject({
      duplicate: false,
      delivery: { delivered: true, scrapers: [{ id: 'a', state: 'delivered' }] },
    });
    expect(requests.map(({ url }) => url)).toEqual([
      'http://server:8090/event',
      'http://server:8090/event?wait=delivered&to=a%2Cb%2Fc',
    ]);
    expect(requests.map(({ headers }) => [headers.get('prefer'), headers.get('idempotency-key')])).toEqual([
      [null, '"x"'],
      ['wait=50', '"x"'],
    ]);
    expect(requests[0]?.init.body).toBe(requests[1]?.init.body);
  });

  it('goes on until its time is over, in rounds, whatever is in between', async () => {
    const { client, requests, settled } = world([
      OK,
      SILENT,
      DOWN,
      WAITED(false, 'full', { 'retry-after': '5' }),
      WAITED(false),
    ]);
    const receipt = await settled(client.push(EVENT, { wait: { timeoutMs: 90_000 } }));
    expect(receipt.delivery).toEqual({
      delivered: false,
      message: 'why',
      scrapers: [{ id: 'a', state: 'waiting' }],
    });
    const [stored, silent, , full, after] = requests.map(({ at }) => at - 1_700_000_000_000);
    expect([stored, silent]).toEqual([0, 0]);
    expect(Number(after) - Number(full)).toBe(5_000);
    expect(Math.max(...requests.map(({ at }) => at - 1_700_000_000_000))).toBeLessThan(90_000);
    expect(requests.length).toBeLessThan(30);
  });

  it.each(['settled', 'unknown'])('does not ask again where %s is the end of it', async (ended) => {
    const { client, requests, settled } = world([OK, WAITED(false, ended)]);
    expect((await settled(client.push(EVENT, { wait: {} }))).delivery?.delivered).toBe(false);
    expect(requests).toHaveLength(2);
  });

  it('rejects where the server refuses it, or knows nothing of it', async () => {
    const refused = world([OK, NO(400)]);
    await expect(refused.settled(refused.client.push(EVENT, { wait: {} }))).rejects.toMatchObject({
      reason: 'refused',
      field: 'f',
    });
    const old = world([OK, () => new Response('{"duplicate":true}')]);
    await expect(old.settled(old.client.push(EVENT, { wait: {} }))).rejects.toMatchObject({
      reason: 'denied',
    });
  });

  it('takes no labels in the URL for how to wait', async () => {
    const { client, requests, settled } = world([OK, WAITED(true)]);
    const sealed = client.sealJson('{}', { to: 'x' });
    await expect(settled(client.send(sealed, { wait: {} }))).rejects.toMatchObject({
      reason: 'invalid',
      field: 'to',
    });
    expect(requests).toEqual([]);
    const other = client.sealJson('{}', { env: 'prod' });
    await settled(client.send(other, { wait: {} }));
    expect(requests[1]?.url).toMatch(/\/event\?env=prod&__timestamp__=[^&]*&wait=delivered$/);
  });
});

describe('a receipt', () => {
  const RECEIPT = { id: 'a/b', scrapers: [{ id: 'a', state: 'waiting' }] };

  it('is asked for by id, and told as the server tells it', async () => {
    const { client, requests } = world([() => new Response(JSON.stringify(RECEIPT))]);
    expect(await client.receipt('a/b')).toEqual(RECEIPT);
    expect(requests[0]?.url).toBe('http://server:8090/api/v1/events/a%2Fb');
  });

  it('is undefined where there is no such event, and else an error', async () => {
    const none = world([() => new Response('{"error":"no event","field":"id"}', { status: 404 })]);
    expect(await none.client.receipt('x')).toBeUndefined();
    for (const [act, reason] of [
      [NO(404), 'denied'],
      [NO(401), 'denied'],
      [NO(503), 'unavailable'],
      [DOWN, 'unavailable'],
      [OK, 'denied'],
    ] as const)
      await expect(world([act]).client.receipt('x')).rejects.toMatchObject({ reason });
  });
});
