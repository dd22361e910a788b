import { describe, expect, it } from 'vitest';
import { defaultApp } from '../../scripts/defaultApp.ts';
import { withHeads } from '../../src/http/endpoint.ts';
import { startServer } from '../support/server.ts';

const table = defaultApp().endpoints;
const all = withHeads(table);
const operations = all.flatMap(({ operation }) => (operation === 'hidden' ? [] : [operation]));
const pathOf = (path: string) => path.replace('{id}', 'nobody');

describe('the table of endpoints', () => {
  it('has them all, and what each asks for', () => {
    expect(table.map(({ method, path, access }) => `${method} ${path}: ${access}`)).toMatchInlineSnapshot(`
      [
        "POST /event: write",
        "POST /api/v2/alerts: write",
        "POST /webhook/alertmanager: write",
        "POST /webhook/github: write",
        "POST /webhook/gitlab: write",
        "POST /api/annotations: write",
        "POST /api/annotations/graphite: write",
        "POST /webhook/argocd: write",
        "POST /webhook/flux: write",
        "GET /metrics: scrape",
        "HEAD /metrics: scrape",
        "GET /api/v1/events: scrape",
        "GET /api/v1/events/{id}: scrape",
        "GET /api/v1/scrapers: scrape",
        "DELETE /api/v1/scrapers/{id}: admin",
        "DELETE /api/v1/counters: admin",
        "POST /api/v1/backup: admin",
        "GET /: any",
        "GET /docs: any",
        "GET /openapi.json: any",
        "GET /healthz: open",
        "GET /-/healthy: open",
        "GET /-/ready: open",
        "GET /-/leader: open",
      ]
    `);
  });

  it('names each by an operationId of its own, a verb in camel case', () => {
    const ids = operations.map(({ id }) => id);
    expect(ids).toHaveLength(all.length);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(?:[A-Z][a-z]+)*$/);
  });

  it('describes each parameter of a path', () => {
    const inPath = all.map(({ path }) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    const described = operations.map(({ parameters = [] }) =>
      parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
    );
    expect(described).toEqual(inPath);
  });

  it('begins each text with a capital letter, and ends none of the short ones with a full stop', () => {
    for (const { id, summary, description, responses } of operations) {
      for (const text of [
        summary,
        description ?? 'A',
        ...Object.values(responses).map((each) => each.description),
      ])
        expect(text, id).toMatch(/^[A-Z]/);
      expect(summary, id).not.toMatch(/\.$/);
    }
  });
});

describe('by real requests', () => {
  it('each row answers, and only the methods in Allow do', async () => {
    await using server = await startServer();
    const ask = (method: string, path: string) => fetch(server.url + pathOf(path), { method });
    for (const path of new Set(all.map((row) => row.path))) {
      const methods = all.filter((row) => row.path === path).map((row) => row.method as string);
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS']) {
        const { status, headers } = await ask(method, path);
        const found = { method, path, is405: status === 405, allow: headers.get('allow') };
        const isOurs = methods.includes(method);
        expect(found).toEqual({ method, path, is405: !isOurs, allow: isOurs ? null : methods.join(', ') });
      }
    }
  });

  it("the API's description has them, and nothing else", async () => {
    await using server = await startServer({ webhooks: { builds: { labels: { a: '/a' } } } });
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
    );
    const rows = all.map(({ method, path }, place) => `${method} ${path} ${operations[place]?.id}`);
    expect(new Set(described)).toEqual(new Set(rows));
    // What is configured is nobody else's business, and is there all the same.
    expect((await fetch(`${server.url}/webhook/builds`)).headers.get('allow')).toBe('POST');
  });
});
