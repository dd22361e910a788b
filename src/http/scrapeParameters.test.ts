import { expect, it } from 'vitest';
import { isOnce } from './scrapeParameters.ts';

it.each([
  ['Prometheus/2.51.2', false],
  ['Prometheus/2.52.0', true],
  ['Prometheus/2.52.1', true],
  ['Prometheus/2.53.0', true],
  ['Prometheus/2.53.2', true],
  ['Prometheus/2.53.2+ds1', true],
  ['Prometheus/2.53.3', false],
  ['Prometheus/2.53.20', false],
  ['Prometheus/2.54.0', true],
  ['Prometheus/2.54.1', false],
  ['Prometheus/3.5.3', false],
  ['otelcol/0.96.0', true],
  ['otelcol-contrib/0.142.0', true],
  ['aws-otel-collector/v0.43.1', true],
  ['opentelemetry-collector/1.0', true],
  ['vm_promscrape', false],
  ['curl/8.5.0', false],
  ['curl/8.5.0 otel', false],
  [undefined, false],
])('%s by itself: %j', (userAgent, once) => {
  expect(isOnce(new Map(), userAgent)).toBe(once);
  expect(isOnce(new Map([['series', 'once']]), userAgent)).toBe(true);
  expect(isOnce(new Map([['series', 'all']]), userAgent)).toBe(false);
});

it('takes no other word', () => {
  expect(() => isOnce(new Map([['series', 'twice']]), undefined)).toThrow(
    'series "twice" must be once or all',
  );
});
