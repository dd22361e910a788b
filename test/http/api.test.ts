import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const post = (server: RunningServer, query: string) =>
  fetch(`${server.url}/event?${query}`, { method: 'POST' });
const list = async (server: RunningServer) =>
  ((await (await fetch(`${server.url}/api/v1/scrapers`)).json()) as { scrapers: Record<string, unknown>[] })
    .scrapers;

describe('GET /api/v1/scrapers', () => {
  it('tells who scrapes, how, and how far each one is', async () => {
    let now = 1_700_000_000_000;
    await using server = await startServer(
      {},
      () => now as never,
      () => now,
    );
    expect(await list(server)).toEqual([]);
    const client = await RawClient.connect(server.port);
    for (let round = 0; round < 3; round += 1) {
      client.get('/metrics?scraper=prometheus-a&timestamps=explicit', {
        Accept: 'application/openmetrics-text;version=1.0.0',
      });
      await client.response();
      await post(server, `n=${round}`);
      now += 15_000;
    }
    expect(await list(server)).toEqual([
      {
        id: 'prometheus-a',
        identifiedBy: 'parameter',
        address: '127.0.0.1',
        firstSeen: '2023-11-14T22:13:20.000Z',
        lastSeen: '2023-11-14T22:13:50.000Z',
        intervalSeconds: 15,
        mode: 'timed',
        format: 'openmetrics 1.0.0',
        confirmedOffset: 1,
        pending: 2,
        inFlight: 1,
        returned: 0,
        warnings: [],
      },
    ]);
  });

  it('warns of two under one id, and of a proxy, once in the log as well', async () => {
    await using server = await startServer();
    const [one, two] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    for (const client of [one, two, one, two]) {
      client.get('/metrics?scraper=a', { Via: '1.1 somewhere' });
      await client.response();
    }
    const [scraper] = await list(server);
    expect((scraper?.['warnings'] as { code: string }[] | undefined)?.map(({ code }) => code)).toEqual([
      'http_proxy',
      'shared_id',
    ]);
    expect(server.log.filter((line) => line.includes('"warn"'))).toHaveLength(2);
    expect(server.log.join('')).toContain('give each its own with params');
  });
});

it('one that sends a variable is known by its address, and is warned of', async () => {
  await using server = await startServer();
  await fetch(`${server.url}/metrics?scraper=${encodeURIComponent('$(POD_NAME)')}`);
  expect(await list(server)).toMatchObject([
    { id: '127.0.0.1', identifiedBy: 'address', warnings: [{ code: 'unexpanded_id' }] },
  ]);
  expect(server.log.join('')).toContain('unexpanded variable');
});

it.each(['Via', 'X-Forwarded-For', 'X-Real-Ip', 'Forwarded'])('a proxy shows by %s', async (header) => {
  await using server = await startServer();
  await fetch(`${server.url}/metrics?scraper=a`, { headers: { [header]: '10.0.0.1' } });
  expect((await list(server))[0]?.['warnings']).toEqual([
    { code: 'http_proxy', message: expect.stringContaining('connect the scraper directly') as string },
  ]);
});

describe('DELETE /api/v1/scrapers/{id}', () => {
  it('forgets a scraper with what it had not had, and counts that', async () => {
    await using server = await startServer();
    await fetch(`${server.url}/metrics?scraper=a%2Fb`);
    await post(server, 'n=1');
    const gone = await fetch(`${server.url}/api/v1/scrapers/a%2Fb`, { method: 'DELETE' });
    expect(gone.status).toBe(204);
    expect(await list(server)).toEqual([]);
    const body = await (await fetch(`${server.url}/metrics?peek=true`)).text();
    expect(body).toContain('events_to_metrics_dropped_total{reason="scraper_forgotten"} 1\n');
  });

  it('takes every id that a scraper may have', async () => {
    await using server = await startServer();
    for (const id of ['x'.repeat(128), 'ü'.repeat(128), '::1', 'a/b?c%d', ' ']) {
      const encoded = encodeURIComponent(id);
      expect((await fetch(`${server.url}/metrics?scraper=${encoded}`)).status).toBe(200);
      const gone = await fetch(`${server.url}/api/v1/scrapers/${encoded}`, { method: 'DELETE' });
      expect([id, gone.status]).toEqual([id, 204]);
    }
  });

  it('answers what is no id as every other error', async () => {
    await using server = await startServer();
    for (const id of ['%zz', '%ff', 'x'.repeat(129), 'x'.repeat(60_000)]) {
      const answer = await fetch(`${server.url}/api/v1/scrapers/${id}`, { method: 'DELETE' });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await answer.json()).toEqual({
        error: expect.any(String) as string,
        field: expect.any(String) as string,
      });
    }
  });

  it('answers 404 for one that is not known, and 405 for other methods', async () => {
    await using server = await startServer();
    expect((await fetch(`${server.url}/api/v1/scrapers/nobody`, { method: 'DELETE' })).status).toBe(404);
    const wrong = await fetch(`${server.url}/api/v1/scrapers/nobody`);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('DELETE');
  });
});

describe('GET /openapi.json', () => {
  it('tells of every endpoint', async () => {
    await using server = await startServer();
    const answer = await fetch(`${server.url}/openapi.json`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const api = (await answer.json()) as { openapi: string; paths: Record<string, Record<string, unknown>> };
    expect(api.openapi).toBe('3.1.0');
    const endpoints = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    for (const endpoint of [
      'GET /',
      'GET /docs',
      'POST /event',
      'GET /api/v1/events',
      'GET /metrics',
      'HEAD /metrics',
      'GET /healthz',
      'GET /-/healthy',
      'GET /-/ready',
      'GET /api/v1/scrapers',
      'DELETE /api/v1/scrapers/{id}',
      'GET /openapi.json',
    ]) {
      expect(endpoints).toContain(endpoint);
    }
    for (const methods of Object.values(api.paths)) {
      for (const operation of Object.values(methods)) {
        expect(operation).toMatchObject({
          summary: expect.any(String) as string,
          responses: expect.any(Object) as object,
        });
      }
    }
  });

  it('tells of every format that POST /event takes, and of each answer that it gives', async () => {
    await using server = await startServer();
    const api = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, Record<string, Record<string, object>>>>;
    };
    const operation = api.paths['/event']?.['post'];
    expect(Object.keys(operation?.['requestBody']?.['content'] ?? {})).toEqual([
      'application/x-www-form-urlencoded',
      'application/json',
      'application/x-ndjson',
      'application/jsonl',
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
    ]);
    expect(Object.keys(operation?.['responses'] ?? {})).toEqual(
      expect.arrayContaining(['200', '400', '413', '414', '415', '429', '503']),
    );
    const refusal = await (await fetch(`${server.url}/event`, { method: 'POST', body: 'x' })).text();
    for (const type of Object.keys(operation?.['requestBody']?.['content'] ?? {}))
      expect(refusal).toContain(type);
  });

  it('tells of each endpoint what it answers without a credential, without its scope, and beyond a limit', async () => {
    await using server = await startServer({
      webhooks: { github: { secret: 's' } },
    });
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      paths: Record<
        string,
        Record<string, { security?: object[]; responses: Record<string, { description: string }> }>
      >;
    };
    const refusals = (method: string, path: string) => {
      const { security, responses = {} } = paths[path]?.[method] ?? {};
      const codes = ['401', '403', '421', '429'].filter((code) => code in responses).join(' ');
      return security === undefined ? codes : `${codes}, open`;
    };
    expect(refusals('post', '/event')).toBe('401 403 421 429');
    expect(refusals('post', '/webhook/flux')).toBe('401 403 421 429');
    // No scope of it: its own secret is all that it asks for; but no page of another site may send it.
    expect(refusals('post', '/webhook/github')).toBe('401 403 421 429');
    expect(refusals('get', '/metrics')).toBe('401 403 421 429');
    expect(refusals('head', '/api/v1/events')).toBe('401 403 421 429');
    expect(refusals('get', '/')).toBe('401 421 429');
    expect(refusals('get', '/-/ready')).toBe('429, open');
    expect(paths['/api/v1/scrapers/{id}']?.['delete']?.responses['403']?.description).toContain(
      'scope admin',
    );
    expect(paths['/event']?.['post']?.responses['429']?.description).toMatch(
      /series\.perHourMax.*\. Or: Too many requests/,
    );
  });
});
