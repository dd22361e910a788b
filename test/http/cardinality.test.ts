import { expect, it } from 'vitest';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const post = async (server: RunningServer, body: unknown, query = '') => {
  const answer = await fetch(`${server.url}/event${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    body: (await answer.json()) as object,
  };
};
const scrape = async (server: RunningServer) => (await fetch(`${server.url}/metrics`)).text();

it('an event whose series is one too many is refused with 429, which says what to do and when', async () => {
  await using server = await startServer({ 'series.perHourMax': 1 }, () => 1_700_000_000_000 as never);
  expect((await post(server, { labels: { a: 1 } })).status).toBe(200);
  const refused = await post(server, { labels: { a: 2 } });
  expect(refused).toMatchObject({ status: 429, body: { field: 'labels' } });
  expect(Number(refused.retryAfter)).toBe(2800);
  expect(await post(server, [{ labels: { a: 1 } }, { labels: { a: 2 } }])).toMatchObject({
    status: 429,
    retryAfter: '2800',
    body: { field: '[1].labels' },
  });
  expect(
    await post(server, [{ value: 'x' }, { labels: { a: 2 } }, { labels: { a: 1 } }], '?partial=true'),
  ).toMatchObject({
    status: 200,
    body: {
      accepted: 1,
      refused: 2,
      items: [{ field: '[0].value' }, { field: '[1].labels' }, { status: 'accepted' }],
    },
  });
  expect(await post(server, [{ labels: { a: 2 } }], '?partial=true')).toMatchObject({
    status: 429,
    retryAfter: '2800',
    body: { accepted: 0, refused: 1 },
  });
  const body = await scrape(server);
  expect(body).toContain('events_to_metrics_event_count 2\n');
  expect(body).toContain('events_to_metrics_series_overflow_total{outcome="refused"} 4\n');
});

it('or it is folded, where that is set', async () => {
  await using server = await startServer({ 'series.perHourMax': 1, 'series.overflow': 'fold' });
  for (const a of [1, 2, 3]) expect((await post(server, { name: 'e', labels: { a } })).status).toBe(200);
  const body = await scrape(server);
  expect(body.match(/^e\{.*/gm)).toEqual(['e{a="1"} 1', 'e{overflow="true"} 1']);
  expect(body).toContain('events_to_metrics_series_overflow_total{outcome="folded"} 2\n');
});

it('labels are dropped, and values cut, as the settings say', async () => {
  await using server = await startServer({ 'labels.drop': ['request_id'], 'labels.valueTruncate': 4 });
  await post(server, { name: 'e', labels: { request_id: 'x'.repeat(9999), path: '/käse/1' } });
  const body = await scrape(server);
  expect(body.match(/^e\{.*/gm)).toEqual(['e{path="/kä"} 1']);
  expect(body).toContain('events_to_metrics_label_values_truncated_total 1\n');
});
