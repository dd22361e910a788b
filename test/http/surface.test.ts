import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const post = (server: RunningServer, path: string, init: RequestInit = {}) =>
  fetch(server.url + path, { method: 'POST', ...init });
const scrape = async (server: RunningServer, query = '', headers: Record<string, string> = {}) =>
  (await fetch(`${server.url}/metrics${query}`, { headers })).text();
/** The samples of a metric, without the server's own. */
const samples = (body: string, metric = 'events_to_metrics') =>
  body.split('\n').filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));

describe('POST /event', () => {
  it('takes labels from the URL and answers once it is stored', async () => {
    await using server = await startServer();
    const answer = await post(server, '/event?type=test&message=cron_test_manual&seconds=42');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.text()).toMatch(/^\{"accepted":1,"eventId":"e1-[\da-z]+"\}$/);
    expect(samples(await scrape(server))).toEqual([
      'events_to_metrics{message="cron_test_manual",seconds="42",type="test"} 1',
    ]);
  });

  it('takes labels from a form body, and from both together', async () => {
    await using server = await startServer();
    const answer = await post(server, '/event?a=1', {
      body: new URLSearchParams({ b: 'x y', value: '2.5' }),
    });
    expect(answer.status).toBe(200);
    expect(samples(await scrape(server))).toEqual(['events_to_metrics{a="1",b="x y"} 2.5']);
  });

  it('takes an event with no labels at all', async () => {
    await using server = await startServer();
    await post(server, '/event');
    expect(samples(await scrape(server))).toEqual(['events_to_metrics 1']);
  });

  it('takes the name of another metric from __name__', async () => {
    await using server = await startServer();
    await post(server, '/event?__name__=deploys&env=prod');
    const body = await scrape(server);
    expect(samples(body, 'deploys')).toEqual(['deploys{env="prod"} 1']);
    expect(body).toContain('# TYPE deploys gauge\n');
  });

  it('shows an event under the configured name', async () => {
    await using server = await startServer({ 'event.metric': 'happenings' });
    await post(server, '/event?a=1');
    expect(samples(await scrape(server), 'happenings')).toEqual(['happenings{a="1"} 1']);
  });

  it.each([
    ['value=0.1', '0.1'],
    ['value=1.7976931348623157e308', '1.7976931348623157e+308'],
    ['value=9007199254740993', '9007199254740992'],
    ['value=-0', '-0'],
    ['value=NaN', 'NaN'],
    ['value=%2BInf', '+Inf'],
    ['value=-Inf', '-Inf'],
    ['value=5e-324', '5e-324'],
    ['value=123456789.123456789', '123456789.12345679'],
  ])('keeps every digit: %s', async (query, shown) => {
    await using server = await startServer();
    expect((await post(server, `/event?${query}`)).status).toBe(200);
    expect(samples(await scrape(server))).toEqual([`events_to_metrics ${shown}`]);
  });
});

describe('what would have broken a scrape is refused, and nothing of it is stored (G5)', () => {
  it.each([
    ['a bad label name', 'a-b=1', 'a-b'],
    ['a name that begins with a digit', '1a=1', '1a'],
    ['an empty name', '=1', null],
    ['a repeated parameter', 'a=1&a=2', 'a'],
    ['names that collide', 'a%20b=1&a_b=2', 'a_b'],
    ['a value that is no number', 'value=abc', 'value'],
    ['a value beyond float64', 'value=1e400', 'value'],
    ['an empty value', 'value=', 'value'],
    ['an unknown __name', '__address__=x', '__address__'],
    ['invalid UTF-8', 'a=%FF', 'a'],
    ['a broken escape', 'a=%4', 'a'],
    ['a bad metric name', '__name__=a-b', '__name__'],
    ["Prometheus' own metric", '__name__=up', '__name__'],
    ["one of this server's own metrics", '__name__=events_to_metrics_event_count', '__name__'],
    ["a part of one of this server's histograms", '__name__=nodejs_gc_duration_seconds_bucket', '__name__'],
  ])('%s', async (_what, query, field) => {
    await using server = await startServer();
    const answer = await post(server, `/event?${query}`);
    expect(answer.status).toBe(400);
    const body = (await answer.json()) as { error: string; field?: string };
    expect(body.error.length).toBeGreaterThan(20);
    if (field !== null) expect(body.field).toBe(field);
    const shown = await scrape(server);
    expect(samples(shown)).toEqual([]);
    expect(shown).toContain('events_to_metrics_event_count 0\n');
  });

  it('one bad event does no harm to a hundred good ones', async () => {
    await using server = await startServer();
    for (let i = 0; i < 100; i += 1) await post(server, `/event?n=${i}`);
    expect((await post(server, '/event?bad-name=1')).status).toBe(400);
    expect(samples(await scrape(server))).toHaveLength(100);
  });

  it('says it in plain text to those who ask for that', async () => {
    await using server = await startServer();
    const answer = await post(server, '/event?a-b=1', { headers: { accept: 'text/plain' } });
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await answer.text()).toMatch(/^label name "a-b" is not valid/);
  });
});

describe('label values are kept to the letter', () => {
  it.each([
    ['quotes', 'say "hi"', 'say \\"hi\\"'],
    ['a backslash at the end', 'C:\\', 'C:\\\\'],
    ['newlines', 'a\nb\n', 'a\\nb\\n'],
    ['tabs and spaces around', '\t x ', '\t x '],
    ['Unicode', 'ü – 漢字 🚀 \u2028', 'ü – 漢字 🚀 \u2028'],
    ['plus and percent', '100% + 1', '100% + 1'],
  ])('%s', async (_what, value, shown) => {
    await using server = await startServer();
    const answer = await post(server, `/event?v=${encodeURIComponent(value)}`);
    expect(answer.status).toBe(200);
    expect(await scrape(server)).toContain(`events_to_metrics{v="${shown}"} 1\n`);
  });

  it('an empty value is no label, and a space in a name becomes _', async () => {
    await using server = await startServer();
    await post(server, '/event?a=&b+c=1');
    expect(samples(await scrape(server))).toEqual(['events_to_metrics{b_c="1"} 1']);
  });
});

describe('GET /metrics', () => {
  it('G2: gives an event once to each scraper, known before or not', async () => {
    await using server = await startServer();
    await post(server, '/event?a=1');
    expect(samples(await scrape(server))).toHaveLength(1);
    expect(samples(await scrape(server))).toHaveLength(0);
    expect(samples(await scrape(server, '?scraper=b'))).toHaveLength(1);
    expect(samples(await scrape(server, '?scraper=b'))).toHaveLength(0);
    expect(samples(await scrape(server, '', { 'x-scraper-id': 'c' }))).toHaveLength(1);
  });

  it('is text format 0.0.4 with a Content-Length, and shows the server as well', async () => {
    await using server = await startServer();
    expect(await scrape(server)).not.toContain('events_to_metrics_scraper_counts{');
    const answer = await fetch(`${server.url}/metrics`, { headers: { 'accept-encoding': 'identity' } });
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const body = await answer.text();
    expect(Number(answer.headers.get('content-length'))).toBe(Buffer.byteLength(body));
    expect(body).toContain('# TYPE events_to_metrics_event_count counter\nevents_to_metrics_event_count 0\n');
    expect(body).toContain(
      '# TYPE events_to_metrics_scraper_counts gauge\nevents_to_metrics_scraper_counts{scraper="127.0.0.1"} 0\n',
    );
    for (const metric of [
      'events_to_metrics_build_info{',
      'events_to_metrics_deliveries_total{outcome="confirmed"} 0',
      'events_to_metrics_dropped_total{reason="backlog_full"} 0',
      'events_to_metrics_scraper_last_seen_seconds{scraper="127.0.0.1"} 0',
      'events_to_metrics_scraper_in_flight{scraper="127.0.0.1"} 0',
      'events_to_metrics_scraper_backlog_limit 100000',
      'events_to_metrics_log_entries 0',
      'events_to_metrics_log_entries_limit 1000000',
      'events_to_metrics_log_size_limit_bytes 150323854',
      'events_to_metrics_log_size_bytes ',
      'process_cpu_seconds_total ',
      'nodejs_version_info{',
    ]) {
      expect(body).toContain(`\n${metric}`);
    }
    expect(await scrape(server)).toContain(
      'events_to_metrics_http_requests_total{code="200",method="GET",route="/metrics"} 2\n',
    );
  });

  it('counts what each scraper has yet to collect, and what was accepted', async () => {
    await using server = await startServer();
    await scrape(server, '?scraper=b');
    const c = await RawClient.connect(server.port);
    const scrapeAsC = async () => {
      c.get('/metrics?scraper=c');
      return (await c.response()).body;
    };
    await scrapeAsC();
    for (let i = 0; i < 3; i += 1) await post(server, `/event?n=${i}`);
    expect(await scrapeAsC()).toContain('events_to_metrics_scraper_counts{scraper="c"} 3\n');
    const body = await scrapeAsC();
    expect(body).toContain('events_to_metrics_event_count 3\n');
    expect(body).toContain('events_to_metrics_scraper_counts{scraper="b"} 3\n');
    expect(body).toContain('events_to_metrics_scraper_in_flight{scraper="b"} 0\n');
    expect(body).toContain('events_to_metrics_scraper_counts{scraper="c"} 0\n');
  });

  it('G6: HEAD and peek=true consume nothing and make nobody known', async () => {
    await using server = await startServer();
    await post(server, '/event?a=1');
    const head = await fetch(`${server.url}/metrics`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(100);
    expect(await head.text()).toBe('');
    const peeked = await scrape(server, '?peek=true');
    expect(samples(peeked)).toHaveLength(1);
    expect(peeked).not.toContain('events_to_metrics_scraper_counts{');
    expect(samples(await scrape(server))).toHaveLength(1);
    expect((await fetch(`${server.url}/metrics?peek=maybe`)).status).toBe(400);
  });

  it('shows the last of several events of one series to an untimed scrape', async () => {
    await using server = await startServer();
    for (const value of [1, 2, 3]) await post(server, `/event?a=1&value=${value}`);
    const client = await RawClient.connect(server.port);
    client.get('/metrics');
    expect(samples((await client.response()).body)).toEqual(['events_to_metrics{a="1"} 3']);
    client.get('/metrics');
    const { body } = await client.response();
    expect(samples(body)).toEqual([]);
    expect(body).toContain('events_to_metrics_deliveries_total{outcome="confirmed"} 1\n');
    expect(body).toContain('events_to_metrics_deliveries_total{outcome="collapsed"} 2\n');
  });

  it('G8: gives the event its own time in ms with explicit timestamps, never two of a series the same', async () => {
    await using server = await startServer(
      { 'scrape.timestamps': 'explicit' },
      () => 1_700_000_000_000 as never,
    );
    for (const value of [1, 2, 3]) await post(server, `/event?a=1&value=${value}`);
    expect(samples(await scrape(server))).toEqual([
      'events_to_metrics{a="1"} 1 1700000000000',
      'events_to_metrics{a="1"} 2 1700000000001',
      'events_to_metrics{a="1"} 3 1700000000002',
    ]);
  });

  it('refuses one scraper too many with 503, however many addresses a client makes up, and says why', async () => {
    await using server = await startServer({ 'scrapers.max': 3 });
    const statuses: number[] = [];
    for (let i = 1; i <= 50; i += 1) {
      const answer = await fetch(`${server.url}/metrics`, {
        headers: { 'x-forwarded-for': `203.0.113.${i}` },
      });
      statuses.push(answer.status);
      if (i === 4) {
        expect(answer.headers.get('retry-after')).toBe('60');
        expect(((await answer.json()) as { error: string }).error).toContain('scrapers.max');
      }
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(statuses.filter((status) => status === 503)).toHaveLength(47);
  });

  it.each(['', 'x'.repeat(129), '%00'])('refuses the scraper id %j', async (id) => {
    await using server = await startServer();
    expect((await fetch(`${server.url}/metrics?scraper=${id}`)).status).toBe(400);
  });
});

describe('who scrapes', () => {
  const idSeen = async (server: RunningServer, headers: Record<string, string>, query = '') => {
    await scrape(server, query, headers);
    // Who gave no id is told of from the second time on.
    const body = await scrape(server, query, headers);
    return [...body.matchAll(/events_to_metrics_scraper_counts\{scraper="([^"]*)"\}/g)].map(
      (match) => match[1],
    );
  };
  it.each([
    ['the header before all', { 'x-scraper-id': 'h', 'x-real-ip': '203.0.113.9' }, '?scraper=p', 'h'],
    ['the parameter before the address', { 'x-real-ip': '203.0.113.9' }, '?scraper=p', 'p'],
    [
      'X-Real-Ip before X-Forwarded-For',
      { 'x-real-ip': '203.0.113.9', 'x-forwarded-for': '203.0.113.1' },
      '',
      '203.0.113.9',
    ],
    [
      'the nearest address that no trusted proxy has',
      { 'x-forwarded-for': '198.51.100.1, 203.0.113.7, 10.0.0.1' },
      '',
      '203.0.113.7',
    ],
    ['the first of trusted ones', { 'x-forwarded-for': '10.0.0.5, 10.0.0.1' }, '', '10.0.0.5'],
    ['without the port', { 'x-forwarded-for': '203.0.113.7:5050' }, '', '203.0.113.7'],
    ['IPv6 in canonical form', { 'x-real-ip': '[2001:DB8:0:0::1]:443' }, '', '2001:db8::1'],
    ['IPv4 unwrapped', { 'x-real-ip': '::ffff:203.0.113.7' }, '', '203.0.113.7'],
    [
      'the socket where the header is nonsense',
      { 'x-real-ip': 'unknown', 'x-forwarded-for': 'a, b' },
      '',
      '127.0.0.1',
    ],
  ])('%s', async (_what, headers, query, id) => {
    await using server = await startServer();
    expect(await idSeen(server, headers as Record<string, string>, query)).toEqual([id]);
  });

  it('believes no header of a client that is no trusted proxy', async () => {
    await using server = await startServer({ 'server.trustedProxies': ['10.0.0.0/8'] });
    expect(await idSeen(server, { 'x-real-ip': '203.0.113.9' })).toEqual(['127.0.0.1']);
  });
});

describe('the other paths', () => {
  it('GET / welcomes in plain text, and shows a browser a page that links the rest', async () => {
    await using server = await startServer();
    const text = await fetch(server.url);
    expect(text.status).toBe(200);
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await text.text()).toMatch(/^Welcome/);
    const page = await fetch(server.url, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await page.text();
    for (const [, path] of html.matchAll(/href="(\/[^"]*)"/g)) {
      expect((await fetch(server.url + path)).status, path).toBe(200);
    }
    for (const path of ['/metrics?peek=true', '/healthz', '/docs', '/api/v1/scrapers', '/openapi.json'])
      expect(html).toContain(`href="${path}"`);
  });

  it.each(['/healthz', '/-/healthy', '/-/ready'])('GET %s answers 200', async (path) => {
    await using server = await startServer();
    expect((await fetch(server.url + path)).status).toBe(200);
    expect((await fetch(server.url + path, { method: 'HEAD' })).status).toBe(200);
  });

  it('what is not there is a 404, as JSON', async () => {
    await using server = await startServer();
    const answer = await fetch(`${server.url}/nothing`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({
      error: '"/nothing" not found; see / for what there is',
      field: 'path',
    });
  });

  it.each([
    ['POST', '/nothing', 404],
    ['PUT', '/event', 405],
    ['DELETE', '/api/v1/scrapers/nobody', 404],
    ['GET', '/healthz', 200],
  ])(
    '%s %s passes over a body that nobody reads, whatever it is, and the connection goes on',
    async (method, path, status) => {
      await using server = await startServer();
      const client = await RawClient.connect(server.port);
      for (const type of ['application/json', 'text/x', 'no type']) {
        const body = 'x'.repeat(100_000);
        client.send(
          `${method} ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        expect((await client.response()).status).toBe(status);
      }
      client.end();
    },
  );

  it.each([
    ['GET', '/event?a=1', 'POST'],
    ['PUT', '/event', 'POST'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['DELETE', '/metrics', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is a 405 that allows %s', async (method, path, allow) => {
    await using server = await startServer();
    const answer = await fetch(server.url + path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it('tells a body of another type that it is not taken, and stores nothing', async () => {
    await using server = await startServer();
    const answer = await post(server, '/event?a=1', {
      body: '<event/>',
      headers: { 'content-type': 'application/xml' },
    });
    expect(answer.status).toBe(415);
    expect(((await answer.json()) as { error: string }).error).toContain('application/x-ndjson');
    expect(samples(await scrape(server))).toEqual([]);
  });
});
