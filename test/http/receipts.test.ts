import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

interface Receipt {
  readonly id: string;
  readonly event?: Record<string, unknown>;
  readonly entries?: Record<string, unknown>;
  readonly scrapers: readonly Record<string, unknown>[];
  readonly error?: string;
  readonly field?: string;
}

const KNOWN = { 'scrapers.known': ['a', 'b'] };
const JSON_TYPE = { 'content-type': 'application/json' };

const post = async (server: RunningServer, query: string, init: RequestInit = {}) =>
  (await (await fetch(`${server.url}/event?${query}`, { method: 'POST', ...init })).json()) as {
    eventId: string;
    eventIds: string[];
  };
const receipt = async (server: RunningServer, id: string, query = '') => {
  const answer = await fetch(`${server.url}/api/v1/events/${encodeURIComponent(id)}${query}`);
  return { status: answer.status, ...((await answer.json()) as Receipt) };
};
/** Two scrapes on one connection: the second proves that the first was read. */
const scrape = async (server: RunningServer, id: string) => {
  for (let n = 0; n < 2; n += 1) await (await fetch(`${server.url}/metrics?scraper=${id}`)).text();
};

describe('GET /api/v1/events/{id}', () => {
  it('tells the event of an eventId as the feed does, and what each scraper has of it', async () => {
    await using server = await startServer(KNOWN);
    const { eventId } = await post(server, 'type=deploy');
    await scrape(server, 'a');
    const feed = (await (await fetch(`${server.url}/api/v1/events`)).json()) as { events: object[] };
    expect(await receipt(server, eventId)).toEqual({
      status: 200,
      id: eventId,
      event: feed.events[0],
      scrapers: [
        { id: 'a', identifiedBy: 'parameter', state: 'delivered' },
        { id: 'b', identifiedBy: 'parameter', state: 'waiting' },
      ],
    });
  });

  it('takes the id that its sender gave, whatever is in it', async () => {
    await using server = await startServer(KNOWN);
    const id = 'a/b?c=%2F ü#';
    await post(server, `n=1&__id__=${encodeURIComponent(id)}`);
    expect(await receipt(server, id)).toMatchObject({ id, event: { labels: { n: '1' } } });
    const headers = { 'idempotency-key': 'key' };
    expect(await post(server, 'n=2', { headers })).toEqual({ accepted: 1 });
    expect(await receipt(server, 'key')).toMatchObject({ event: { labels: { n: '2' } } });
  });

  it('takes the eventIds of a batch, and the id of the request', async () => {
    await using server = await startServer(KNOWN);
    const headers = { ...JSON_TYPE, 'idempotency-key': 'night' };
    const body = '[{"labels":{"n":"1"}},{"labels":{"n":"2"}}]';
    const { eventIds } = await post(server, '', { headers, body });
    expect(await receipt(server, eventIds[1] ?? '')).toMatchObject({ event: { labels: { n: '2' } } });
    await scrape(server, 'b');
    expect(await receipt(server, 'night')).toEqual({
      status: 200,
      id: 'night',
      entries: { first: 1, last: 2, count: 2 },
      scrapers: [
        { id: 'a', identifiedBy: 'parameter', state: 'waiting', counts: { waiting: 2 } },
        { id: 'b', identifiedBy: 'parameter', state: 'delivered', counts: { delivered: 2 } },
      ],
    });
  });

  it('takes the id of a CloudEvent, with its source', async () => {
    await using server = await startServer();
    const headers = { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/shop', 'ce-id': '7' };
    await fetch(`${server.url}/event`, { method: 'POST', headers });
    expect(await receipt(server, '7', '?source=/shop')).toMatchObject({
      event: { labels: { source: '/shop' } },
    });
    expect((await receipt(server, '7')).status).toBe(404);
  });

  it('says why, where it knows it, if there is none', async () => {
    await using server = await startServer({ 'retention.min': 0 });
    await post(server, 'n=1&__id__=x');
    const none = await receipt(server, 'y');
    expect(none).toMatchObject({ status: 404, field: 'id' });
    expect(none.error).toMatch(/never accepted, or it is no longer in the log .*can't tell which$/);
    await expect
      .poll(async () => (await receipt(server, 'x')).error, { timeout: 10_000 })
      .toMatch(/^the event with the id "x" was accepted, but is no longer in the log/);
  });

  it('G6: makes nobody known, and refuses what it does not know', async () => {
    await using server = await startServer();
    const { eventId } = await post(server, 'n=1');
    expect(await receipt(server, eventId, '?scraper=a')).toMatchObject({ status: 400, field: 'scraper' });
    expect((await receipt(server, eventId)).scrapers).toEqual([]);
  });

  it('names what a state means, if its name does not say it', async () => {
    await using server = await startServer({ 'scrapers.lookback': 0 });
    const { eventId } = await post(server, 'n=1');
    await scrape(server, 'first');
    await scrape(server, 'late');
    expect((await receipt(server, eventId)).scrapers).toContainEqual({
      id: 'late',
      identifiedBy: 'parameter',
      state: 'beforeItsStart',
      message: "this scraper became known after the event, so it doesn't get it",
    });
  });
});
