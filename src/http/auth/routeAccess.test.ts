import { expect, it } from 'vitest';
import { accessOf } from './routeAccess.ts';

it.each([
  ['POST', '/event', 'write'],
  ['POST', '/any/later/route', 'write'],
  ['PUT', undefined, 'write'],
  ['GET', '/metrics', 'scrape'],
  ['HEAD', '/metrics', 'scrape'],
  ['GET', '/api/v1/events', 'scrape'],
  ['GET', '/api/v1/events/:id', 'scrape'],
  ['GET', '/api/v1/scrapers', 'scrape'],
  ['DELETE', '/api/v1/scrapers/:id', 'admin'],
  ['DELETE', undefined, 'admin'],
  ['GET', '/healthz', 'open'],
  ['HEAD', '/-/healthy', 'open'],
  ['GET', '/-/ready', 'open'],
  ['POST', '/healthz', 'write'],
  ['GET', '/', 'any'],
  ['GET', '/docs', 'any'],
  ['GET', '/openapi.json', 'any'],
  ['GET', undefined, 'any'],
  ['OPTIONS', undefined, 'any'],
])('%s %s asks for %s', (method, route, access) => {
  expect(accessOf(method, route, undefined)).toBe(access);
});

it('what a route says itself goes before its method', () => {
  expect(accessOf('POST', '/webhook/github', 'open')).toBe('open');
});
