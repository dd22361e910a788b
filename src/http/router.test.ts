import { describe, expect, it } from 'vitest';
import type { Endpoint, Handler } from './endpoint.ts';
import { withHeads } from './endpoint.ts';
import type { Method } from './endpointRule.ts';
import { Router } from './router.ts';

const nothing: Handler = () => undefined;
const row = (method: Method, path: string, handler = nothing): Endpoint => ({
  method,
  path,
  access: 'any',
  limits: 'none',
  body: 'none',
  operation: 'hidden',
  handler,
});

const router = new Router(
  withHeads([
    row('GET', '/'),
    row('POST', '/event'),
    row('GET', '/metrics'),
    row('HEAD', '/metrics', () => undefined),
    row('GET', '/scrapers'),
    row('DELETE', '/scrapers/{id}'),
  ]),
);

describe('what a URL leads to', () => {
  it.each([
    ['/event', 'POST'],
    ['/event?a=1', 'POST'],
    ['/event?a=/x?y#z', 'POST'],
    ['/event#a', 'POST'],
    ['/ev%65nt', 'POST'],
    ['http://host:1/event?a=1', 'POST'],
    ['HTTPS://host/event', 'POST'],
    ['/', 'GET HEAD'],
    ['/?a=1', 'GET HEAD'],
    ['/metrics', 'GET HEAD'],
    ['/scrapers', 'GET HEAD'],
    ['/scrapers/a', 'DELETE'],
    ['/scrapers/a%2Fb?c', 'DELETE'],
  ])('%s: %s', (url, methods) => {
    expect([...(router.at(url)?.methods.keys() ?? [])].join(' ')).toBe(methods);
  });

  it.each([
    '/nothing',
    '/event/',
    '//event',
    '/EVENT',
    '/event%2F',
    '/event%20',
    '/event;a=1',
    '/x/../event',
    '/scrapers/',
    '/scrapers/a/b',
    '/scrapers/{id}/',
    '/__proto__',
    '',
    '*',
    'event',
    'http://host',
    'http://host//event',
  ])('%j: nothing', (url) => {
    expect(router.at(url)).toBeUndefined();
  });

  it.each(['/event%', '/%zz', '/%c0%af', '/%ff', '/scrapers/%e0%80', '/a%/b'])('%s is refused', (url) => {
    expect(() => router.at(url)).toThrow(expect.objectContaining({ field: 'path' }) as Error);
  });

  it.each([
    ['a', 'a'],
    ['a%2Fb%3Fc%25d', 'a/b?c%d'],
    ['%252F', '%2F'],
    ['%C3%BC', 'ü'],
    ['::1', '::1'],
    ['%20', ' '],
  ])('the id %s is %s', (written, id) => {
    expect(router.at(`/scrapers/${written}`)?.id).toBe(id);
  });
});

it('HEAD does what GET does, unless it has a row of its own', () => {
  const own: Handler = () => undefined;
  const rows = withHeads([row('GET', '/a'), row('GET', '/b'), row('HEAD', '/b', own)]);
  expect(rows.map(({ method, path, handler }) => [method, path, handler === own])).toEqual([
    ['GET', '/a', false],
    ['HEAD', '/a', false],
    ['GET', '/b', false],
    ['HEAD', '/b', true],
  ]);
});

it.each([
  ['/event', '/event'],
  ['/scrapers/{id}', '/scrapers/{id}'],
])("two rows can't answer the same requests: %s", (one, other) => {
  expect(() => new Router([row('POST', one), row('GET', one), row('POST', other)])).toThrow(
    `two endpoints answer POST ${other}`,
  );
});
