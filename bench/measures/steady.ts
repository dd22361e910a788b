import { setTimeout as sleep } from 'node:timers/promises';
import { Folder, ours } from '../candidates.ts';
import { NDJSON, lines } from '../events.ts';
import type { Measure, Outcome } from '../measure.ts';
import { atMost } from '../measure.ts';
import { Scraper } from '../scraper.ts';
import { median } from '../statistics.ts';

const MB = 1e6;
const PER_SECOND = 5_000;
const POSTS_PER_SECOND = 50;
const SCRAPERS = 10;
const INTERVAL_MS = 1_000;
/** The log may hold what came within it, and what a round of trimming leaves. */
const RETENTION_S = 10;
const TRIM_SLACK_S = 10;

/** A steady stream of events for a while: nothing grows, nobody falls behind. */
export function steady(seconds: number): Measure {
  return {
    name: `steady ${PER_SECOND.toLocaleString('en')} events/s, ${SCRAPERS} scrapers at 1 s, ${seconds} s`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using server = await ours(folder, [`--retention.min=${RETENTION_S}s`]);
      const until = performance.now() + seconds * 1000;
      const memory: { at: number; rss: number }[] = [];
      const lags: { at: number; pending: number }[] = [];
      let entries = 0;
      const watch = async (): Promise<void> => {
        using scraper = new Scraper(server.url);
        while (performance.now() < until) {
          const text = (await scraper.scrape('/metrics?peek=true&scraper=s0')).body.toString();
          const pending = [...text.matchAll(/^events_to_metrics_scraper_counts\{.*\} (\d+)$/gm)];
          lags.push({ at: performance.now(), pending: Math.max(...pending.map(([, n]) => Number(n))) });
          entries = Number(/^events_to_metrics_log_entries (\d+)$/m.exec(text)?.[1]);
          memory.push({ at: performance.now(), rss: server.rss });
          await sleep(INTERVAL_MS);
        }
      };
      const scrapes = Array.from({ length: SCRAPERS }, (_, i) => scrapeOn(server.url, `s${i}`, until));
      const [rate] = await Promise.all([postOn(server.url, until), watch(), ...scrapes]);
      // The first third is for the heap to find its size. It grows and is collected in turns of more than a minute, so what tells is how
      // large it gets.
      const third = (seconds * 1000) / 3;
      const isIn = (at: number, from: number, to: number): boolean =>
        at > until - from * third && at <= until - to * third;
      const rss = (from: number, to: number) =>
        Math.max(...memory.filter(({ at }) => isIn(at, from, to)).map((m) => m.rss));
      const lag = (from: number, to: number) =>
        median(lags.filter(({ at }) => isIn(at, from, to)).map((l) => l.pending));
      return {
        figures: [
          atMost(1.1, rss(1, 0) / rss(2, 1), 'of the third before', 'most RSS'),
          atMost(1.5, Math.max(1, lag(1, 0)) / Math.max(1, lag(2, 1)), 'of the third before', 'lag'),
          atMost(PER_SECOND * (RETENTION_S + TRIM_SLACK_S), entries, 'entries', 'log'),
        ],
        notes: `${Math.round(rate).toLocaleString('en')} events/s, at most ${(rss(1, 0) / MB).toFixed(0)} MB, at most ${lag(1, 0)} pending`,
      };
    },
  };
}

/** Posts batches at the rate, as far as the server lets it. Resolves to the rate that was reached. */
async function postOn(url: string, until: number): Promise<number> {
  const batch = PER_SECOND / POSTS_PER_SECOND;
  const began = performance.now();
  let posted = 0;
  while (performance.now() < until) {
    const body = lines(posted, batch);
    const answer = await fetch(`${url}/event`, { method: 'POST', body, headers: { 'Content-Type': NDJSON } });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    posted += batch;
    await sleep(Math.max(0, began + (posted / PER_SECOND) * 1000 - performance.now()));
  }
  return (posted / (performance.now() - began)) * 1000;
}

async function scrapeOn(url: string, id: string, until: number): Promise<void> {
  using scraper = new Scraper(url);
  while (performance.now() < until) {
    const due = performance.now() + INTERVAL_MS;
    await scraper.scrape(`/metrics?scraper=${id}`);
    await sleep(Math.max(0, due - performance.now()));
  }
}
