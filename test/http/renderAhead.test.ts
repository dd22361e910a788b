import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const COUNT = 60 * 512 + 10;
/**
 * What is kept of the chunks that are full at least: lines of some 30 bytes, and as much for what they are compressed to. The server's own metrics
 * that are looked at meanwhile take less: a tenth for each look.
 */
const KEPT_BYTES_MIN = 60 * 512 * 2 * 25;
const SOON = { timeout: 17_000, interval: 2_500 };

async function post({ url }: RunningServer): Promise<void> {
  const body = Array.from({ length: COUNT }, (_, n) => `{"labels":{"n":"${n}"}}\n`).join('');
  const headers = { 'Content-Type': 'application/x-ndjson' };
  expect((await fetch(`${url}/event`, { method: 'POST', body, headers })).status).toBe(200);
}

const scrape = async ({ url }: RunningServer, query: string) =>
  (await fetch(`${url}/metrics?${query}`)).text();
const events = (text: string) => text.split('\n').filter((line) => line.startsWith('events_to_metrics{'));

/** What is held of what was rendered: told to one who only looks, and would get no events. */
async function held(server: RunningServer): Promise<number> {
  const text = await scrape(server, 'scraper=new&peek=true');
  expect(events(text)).toEqual([]);
  return Number(/_memory_bytes\{holder="rendered"\} (\d+)/.exec(text)?.[1]);
}

const server = () =>
  startServer({ 'scrapers.known': ['only'], 'scrapers.lookback': 0, 'scrape.eventsMax': 100_000 });

it('a scrape finds what was rendered ahead of it, and gets the same as ever', async () => {
  await using running = await server();
  await scrape(running, 'scraper=only');
  const before = await held(running);
  await post(running);
  await expect.poll(async () => (await held(running)) - before, SOON).toBeGreaterThan(KEPT_BYTES_MIN);
  const text = await scrape(running, 'scraper=only');
  expect(events(text)).toEqual(Array.from({ length: COUNT }, (_, n) => `events_to_metrics{n="${n}"} 1`));
});

it('nothing is rendered ahead for those who only look', async () => {
  await using running = await server();
  await scrape(running, 'scraper=only&peek=true');
  const before = await held(running);
  await post(running);
  // Several times as long as the loop must be quiet.
  await sleep(600);
  expect((await held(running)) - before).toBeLessThan(KEPT_BYTES_MIN);
});
