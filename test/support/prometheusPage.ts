import { expect } from 'vitest';
import { blockText, pageBlocks } from './pageBlocks.ts';
import type { Prometheus } from './prometheus.ts';
import type { RunningServer } from './server.ts';
import { storedSeries } from './tsdb.ts';

/** The page that tells how to scrape, and what to ask; its blocks are run as they stand. */
export const PAGE = pageBlocks('docs/operate/prometheus.md');

/** Target discovery is polled every 5 s. */
export const SOON = { timeout: 40_000, interval: 200 };
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** A configuration of the page: only the address is another one, and the interval, where it says one, a second. */
export function configOf(block: string, { port }: Pick<RunningServer, 'port'>): string {
  const text = blockText(PAGE, block);
  expect(text).toContain('localhost:8090');
  return text
    .replace('localhost:8090', `127.0.0.1:${port}`)
    .replace('scrape_interval: 15s', 'scrape_interval: 1s');
}

/** The same, as the list that the tests' Prometheus takes. */
export function scrapeConfigsOf(block: string, server: Pick<RunningServer, 'port'>): string {
  const text = configOf(block, server);
  expect(text).toMatch(/^scrape_configs:\n/);
  return text.replace('scrape_configs:\n', '');
}

/** The flags of a command of the page, but for the file with the configuration, which the tests write themselves. */
export function flagsOf(block: string): readonly string[] {
  const [, ...flags] = blockText(PAGE, block).trim().split(' ');
  return flags.filter((flag) => !flag.includes('config'));
}

/** Posts an event by its query string. Throws where it is not accepted. */
export async function postEvent(server: Pick<RunningServer, 'url'>, query: string): Promise<void> {
  const answer = await fetch(`${server.url}/event?${query}`, { method: 'POST' });
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${await answer.text()}`);
}

/** What is stored of the events with a label `n`, as [time, value]; where their series ends; and its label `job`. */
export async function stored({ url }: Prometheus, n: string) {
  const all = await storedSeries(url, 'events_to_metrics', Date.now() - 3 * HOUR_MS, Date.now() + MINUTE_MS);
  const found = all.filter(({ labels }) => labels['n'] === n);
  expect(found.length).toBeLessThan(2);
  return {
    samples: found.flatMap(({ samples }) => samples.map(({ at, value }) => [at, value])),
    endsAt: found.flatMap(({ endsAt }) => endsAt),
    job: found[0]?.labels['job'],
  };
}

/** The value of the only series that an expression gives; undefined where it gives none. */
export async function valueOf(
  prometheus: Prometheus,
  promql: string,
  time?: number,
): Promise<number | undefined> {
  const found = await prometheus.query(promql, time);
  expect(found.length).toBeLessThan(2);
  return found[0]?.samples[0]?.value;
}

/** The times of all scrapes so far, at which `up` has its samples. */
export async function scrapeTimes({ url }: Prometheus): Promise<readonly number[]> {
  const all = await storedSeries(url, 'up', Date.now() - HOUR_MS, Date.now());
  return all.flatMap(({ samples }) => samples.map(({ at }) => at));
}

/** 1 once it has scraped, if no scrape of it ever failed. */
export const neverDown = (prometheus: Prometheus) => valueOf(prometheus, 'min(min_over_time(up[10m]))');
