import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../chart/support/helm.ts';
import { startServer } from '../support/server.ts';
import { ROOT } from './dockerfile.ts';

/** What the chart and the HEALTHCHECK run, on this very Node. */
const probe = (url: string, ...args: readonly string[]) =>
  run(process.execPath, [join(ROOT, 'image/probe.ts'), ...args], {
    env: { PROBE_URL: url, PROBE_TOKEN: 'abc' },
  });

/** A server that answers scrapes in turn with what it is told to, and everything else with 200. */
async function fake(scrapes: readonly string[]) {
  const requests: string[] = [];
  const tokens = new Set<string | undefined>();
  const left = [...scrapes];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.replace(/test-[0-9a-f-]{36}/, 'ID')}`);
    tokens.add(request.headers.authorization);
    response.end(request.url?.startsWith('/metrics') === true ? left.shift() : 'ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    tokens,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const SAMPLE = 'events_to_metrics{message="helm_test",type="test"} 1\n';

describe('helm test', () => {
  test('posts an event, sees it once, and leaves no scraper behind', async () => {
    await using server = await startServer();
    for (const attempt of [1, 2]) {
      const { code, stdout, stderr } = await probe(server.url, 'deliver', 'helm_test');
      expect({ attempt, code, stderr }).toEqual({ attempt, code: 0, stderr: '' });
      expect(stdout).toBe(
        'posted type=test message=helm_test; it was in one scrape, once, and not in the next\n',
      );
    }
    const peeked = await (await fetch(`${server.url}/metrics?scraper=other&peek=true`)).text();
    expect(peeked).toContain('events_to_metrics_event_count 2\n');
    expect(await (await fetch(`${server.url}/api/v1/scrapers`)).json()).toEqual({ scrapers: [] });
  });

  test('passes with explicit timestamps, and where a new scraper gets nothing of the past', async () => {
    await using server = await startServer({
      'scrape.timestamps': 'explicit',
      'scrapers.lookback': 0,
    });
    expect(await probe(server.url, 'deliver', 'helm_test')).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['never comes', ['', '', ''], 'in the next scrape 0 times, not once'],
    ['comes twice in one scrape', ['', SAMPLE + SAMPLE, ''], 'in the next scrape 2 times, not once'],
    ['comes in two scrapes', ['', SAMPLE, SAMPLE], 'in a second scrape, too'],
  ])('fails when the event %s', async (_what, scrapes, says) => {
    await using server = await fake(scrapes);
    const { code, stderr } = await probe(server.url, 'deliver', 'helm_test');
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(server.requests.at(-1)).toBe('DELETE /api/v1/scrapers/ID');
  });

  test('asks with its token, for samples without times', async () => {
    await using server = await fake([SAMPLE, '', SAMPLE, '']);
    expect(await probe(server.url, 'deliver', 'helm_test')).toMatchObject({ code: 0 });
    expect(server.requests).toEqual([
      'GET /-/ready',
      'GET /metrics?scraper=ID&timestamps=scrape',
      'GET /metrics?scraper=ID&timestamps=scrape',
      'POST /event?type=test&message=helm_test',
      'GET /metrics?scraper=ID&timestamps=scrape',
      'GET /metrics?scraper=ID&timestamps=scrape',
      'DELETE /api/v1/scrapers/ID',
    ]);
    expect([...server.tokens]).toEqual(['Bearer abc']);
  });
});

test('the CronJob posts its event', async () => {
  await using server = await startServer();
  expect(await probe(server.url, 'post', 'cron_test')).toMatchObject({ code: 0 });
  const scrape = await (await fetch(`${server.url}/metrics`)).text();
  expect(scrape).toContain('events_to_metrics{message="cron_test",type="test"} 1\n');
});

test('the health check tells a server that takes requests from none', async () => {
  const server = await startServer();
  expect(await probe(server.url, 'health')).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
  await server[Symbol.asyncDispose]();
  const { code, stderr } = await probe(server.url, 'health');
  expect(code).toBe(1);
  expect(stderr).toContain('GET /-/ready'.replace(' ', ` ${server.url}`));
});

test('wrong arguments are said to be', async () => {
  expect(await probe('http://127.0.0.1:9', 'post')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('usage:') as string,
  });
});
