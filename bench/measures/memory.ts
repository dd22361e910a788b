import { setTimeout as sleep } from 'node:timers/promises';
import { Folder, ours } from '../candidates.ts';
import { fill } from '../events.ts';
import { post } from '../load.ts';
import type { Measure, Outcome } from '../measure.ts';
import { atLeast, atMost } from '../measure.ts';
import { interleave, ratio } from '../rounds.ts';
import { Scraper } from '../scraper.ts';
import { median } from '../statistics.ts';

const MB = 1e6;
const PENDING = 100_000;
const SETTLE_MS = 1_500;
const FULL_LOG = 1_000_000;
const SMALL_LOG = 1_000;
const CATCH_UP_PAGES_MAX = 1_000;
/** What the scraper had yet to collect when the page was made, but for the page itself. */
const WAITING = /^events_to_metrics_scraper_counts\{scraper="s"\} (\d+)$/m;
const FULL = ['--store.entriesMax=2000000', '--scrapers.backlogMax=2000000'];

/** How much resident memory a backlog costs. */
export function pendingMemory(scrapers: number, mostMB: number): Measure {
  return {
    name: `memory, ${PENDING.toLocaleString('en')} pending, ${scrapers} scraper${scrapers === 1 ? '' : 's'}`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      const ids = Array.from({ length: scrapers }, (_, i) => `s${i}`);
      await using server = await ours(folder, [`--scrapers.known=${ids.join(',')}`]);
      // What the first requests of all cost is no cost of a backlog.
      await fill(server.url, 2_000);
      for (const id of ids) {
        using scraper = new Scraper(server.url);
        await scraper.scrape(`/metrics?scraper=${id}`);
        await scraper.scrape(`/metrics?scraper=${id}`);
      }
      await sleep(SETTLE_MS);
      const before = server.rss;
      await fill(server.url, PENDING, 2_000);
      await sleep(SETTLE_MS);
      const growth = (server.rss - before) / MB;
      return { figures: [atMost(mostMB, growth, 'MB')], notes: `${(before / MB).toFixed(0)} MB before` };
    },
  };
}

/** Scrapes until nothing waits any more: a page of what a load left behind is no scrape of a hundred events. */
async function catchUp(scraper: Scraper): Promise<void> {
  for (let page = 0; page < CATCH_UP_PAGES_MAX; page += 1) {
    const { body } = await scraper.scrape('/metrics?scraper=s');
    if (WAITING.exec(body.toString())?.[1] === '0') return;
  }
  throw new Error('the scraper does not catch up');
}

/** A server that begins with a full log. */
export function fullLog(rounds: number): Measure {
  return {
    name: `${FULL_LOG.toLocaleString('en')} entries in the log`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      const [large, small] = [folder.file(), folder.file()];
      for (const [path, count] of [
        [large, FULL_LOG],
        [small, SMALL_LOG],
      ] as const) {
        await using filling = await ours(folder, FULL, { path });
        await fill(filling.url, count);
      }
      const starts: number[] = [];
      for (let round = 0; round < Math.min(rounds, 5); round += 1) {
        const began = performance.now();
        await using server = await ours(folder, FULL, { path: large });
        starts.push(performance.now() - began);
        void server;
      }
      await using full = await ours(folder, FULL, { path: large });
      await using few = await ours(folder, FULL, { path: small });
      const takeOf = (server: typeof full) => async () => {
        using scraper = new Scraper(server.url);
        const { perSecond } = await post(
          server.url,
          { path: '/event?type=x', connections: 64, seconds: 2 },
          folder,
        );
        await catchUp(scraper);
        const ms: number[] = [];
        for (let i = 0; i < 20; i += 1) {
          await fill(server.url, 100, i * 100);
          ms.push((await scraper.scrape('/metrics?scraper=s')).ms);
        }
        return { perSecond, scrapeMs: median(ms) };
      };
      const takes = { full: takeOf(full), few: takeOf(few) };
      await interleave(1, takes);
      const values = await interleave(rounds, takes);
      return {
        figures: [
          atMost(1_000, median(starts), 'ms', 'ready'),
          atMost(300, full.rss / MB, 'MB', 'RSS'),
          atLeast(
            0.95,
            ratio(values.full, values.few, ({ perSecond }) => perSecond),
            'of 1,000 entries',
            'accept',
          ),
          atMost(
            1.1,
            ratio(values.full, values.few, ({ scrapeMs }) => scrapeMs),
            'of 1,000 entries',
            'scrape',
          ),
        ],
        notes: `${Math.round(median(values.full.map(({ perSecond }) => perSecond))).toLocaleString('en')}/s`,
      };
    },
  };
}
