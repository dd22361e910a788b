import { describe, expect, it } from 'vitest';
import { millis } from '../../src/core/millis.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

interface Feed {
  readonly events: readonly Record<string, unknown>[];
  readonly next: number;
  readonly end: number;
  readonly gone: number;
}

const post = (server: RunningServer, query: string) =>
  fetch(`${server.url}/event?${query}`, { method: 'POST' });
const feed = async (server: RunningServer, query = '') =>
  (await (await fetch(`${server.url}/api/v1/events${query}`)).json()) as Feed;
const numbers = ({ events }: Feed) => events.map(({ labels }) => (labels as { n: string }).n);

describe('GET /api/v1/events', () => {
  it('tells each event whole: name, labels, value and times', async () => {
    const at = Date.UTC(2026, 10, 24, 12);
    await using server = await startServer({}, () => millis(at));
    await post(server, '__name__=m&value=-Inf&message=a%22b%0A&__timestamp__=2026-11-24T11:59:00Z');
    expect(await feed(server)).toEqual({
      events: [
        {
          offset: 1,
          eventId: `e1-${at.toString(36)}`,
          series: 'm{message="a\\"b\\n"}',
          name: 'm',
          labels: { message: 'a"b\n' },
          value: '-Inf',
          time: '2026-11-24T11:59:00.000Z',
          arrived: '2026-11-24T12:00:00.000Z',
        },
      ],
      next: 1,
      end: 1,
      gone: 0,
    });
  });

  it('G6: consumes nothing and makes nobody known', async () => {
    await using server = await startServer();
    await post(server, 'n=1');
    expect(numbers(await feed(server))).toEqual(['1']);
    expect(numbers(await feed(server))).toEqual(['1']);
    expect(await (await fetch(`${server.url}/api/v1/scrapers`)).json()).toEqual({ scrapers: [] });
    expect(await (await fetch(`${server.url}/metrics?scraper=a`)).text()).toContain(
      'events_to_metrics{n="1"} 1\n',
    );
  });

  it('shows the newest without a place, and from there on all of them, a page at a time', async () => {
    await using server = await startServer();
    for (let n = 1; n <= 7; n += 1) await post(server, `n=${n}`);
    const newest = await feed(server, '?limit=2');
    expect([numbers(newest), newest.next, newest.end]).toEqual([['6', '7'], 7, 7]);
    const read: string[] = [];
    let after = 0;
    for (
      let page = await feed(server, '?after=0&limit=3');
      page.next > after;
      page = await feed(server, `?after=${after}&limit=3`)
    ) {
      expect(page.events.length).toBeLessThanOrEqual(3);
      read.push(...numbers(page));
      after = page.next;
    }
    expect(read).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    await post(server, 'n=8');
    expect(numbers(await feed(server, `?after=${after}`))).toEqual(['8']);
  });

  it('does not show the ends of pulses, and goes on behind them', async () => {
    let now = Date.UTC(2026, 10, 24, 12);
    await using server = await startServer({ 'pulse.width': 1_000, 'scrape.timestamps': 'explicit' }, () =>
      millis(now),
    );
    const proto = {
      Accept: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
    };
    await fetch(`${server.url}/metrics?scraper=a`, { headers: proto });
    await post(server, 'n=1');
    now += 5_000;
    await post(server, 'n=1');
    const page = await feed(server, '?after=0');
    expect(numbers(page)).toEqual(['1', '1']);
    expect([page.events.map(({ offset }) => offset), page.next]).toEqual([[1, 3], 3]);
  });

  it('takes a place beyond the end for one in a log that is no more', async () => {
    await using server = await startServer();
    await post(server, 'n=1');
    expect(await feed(server, '?after=500')).toMatchObject({ next: 1, gone: 0 });
    expect(numbers(await feed(server, '?after=500'))).toEqual(['1']);
  });

  it('of an empty log is empty', async () => {
    await using server = await startServer();
    expect(await feed(server)).toEqual({ events: [], next: 0, end: 0, gone: 0 });
    expect(await feed(server, '?after=7')).toEqual({ events: [], next: 0, end: 0, gone: 0 });
  });

  it('reads from the log what has left the memory', async () => {
    await using server = await startServer({ 'tail.bytesMax': 1_000 });
    for (let n = 1; n <= 50; n += 1) await post(server, `n=${n}`);
    expect(numbers(await feed(server, '?after=0&limit=1000'))).toHaveLength(50);
  });

  it.each([
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?limit=1e2', 'limit'],
    ['?after=-1', 'after'],
    ['?after=99999999999999999999', 'after'],
    ['?after=1&after=2', 'after'],
    ['?before=1', 'before'],
    ['?after=%zz', 'after'],
  ])('%s is refused', async (query, field) => {
    await using server = await startServer();
    const answer = await fetch(`${server.url}/api/v1/events${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ field });
  });
});
