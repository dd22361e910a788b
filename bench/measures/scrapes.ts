import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Folder, ours, preparedBody } from '../candidates.ts';
import { fill } from '../events.ts';
import { post } from '../load.ts';
import type { Measure, Outcome } from '../measure.ts';
import { atMost } from '../measure.ts';
import { interleave, ratio } from '../rounds.ts';
import { PROTOBUF, Scraper } from '../scraper.ts';
import { median } from '../statistics.ts';
import { alone } from '../alone.ts';

const PENDING = 100_000;
const GZIP_PENDING = 10_000;
/** One after the other, as those of a fleet come; a server shows some metrics of its own for each that it knows. */
const GZIP_SCRAPERS = 10;
const GZIP_TURNS = 10;
/** A server that has just started runs code that is not compiled yet. */
const WARM_UPS = 5;
/** As src/http/compress.ts has it. */
const GZIP_LEVEL = 1;
/** No page is cut, no scraper is one too many, and nothing is old. */
const LIFTED = [
  '--scrape.eventsMax=1000000',
  '--scrape.bytesMax=256MiB',
  '--scrapers.max=10000',
  '--scrapers.lookback=9m',
];
const MB = 1e6;

/** All pending events in one scrape, each time by a scraper that had none of them. */
export function largeScrape(format: 'text' | 'protobuf', most: number, rounds: number): Measure {
  return {
    name: `scrape of ${PENDING.toLocaleString('en')} pending, paging lifted, ${format}`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using server = await ours(folder, LIFTED);
      await fill(server.url, PENDING);
      using scraper = new Scraper(server.url, format === 'protobuf' ? PROTOBUF : {});
      const timestamps = format === 'protobuf' ? 'explicit' : 'scrape';
      let n = 0;
      const scrape = () => scraper.scrape(`/metrics?scraper=n${(n += 1)}&timestamps=${timestamps}`);
      const { body, contentType } = await scrape();
      const file = folder.file();
      writeFileSync(file, body);
      await using floor = await preparedBody(file, contentType);
      using floorScraper = new Scraper(floor.url);
      const takes = {
        o: async () => (await scrape()).ms,
        b: async () => (await floorScraper.scrape()).ms,
      };
      await interleave(WARM_UPS, takes);
      const { o, b } = await interleave(rounds, takes);
      return {
        figures: [
          atMost(
            most,
            ratio(o, b, (ms) => ms),
            'times (b)',
          ),
        ],
        notes: `${median(o).toFixed(1)} ms; (b) ${median(b).toFixed(1)} ms for ${(body.length / MB).toFixed(1)} MB`,
      };
    },
  };
}

/** What a compressed scrape costs beside the compression. */
export function compressedScrape(rounds: number): Measure {
  return {
    name: `scrape of ${GZIP_PENDING.toLocaleString('en')} pending, text, gzip: processor time`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using server = await ours(folder, LIFTED);
      await fill(server.url, GZIP_PENDING);
      using plain = new Scraper(server.url);
      const file = folder.file();
      writeFileSync(file, (await plain.scrape('/metrics?scraper=plain')).body);
      using scraper = new Scraper(server.url, { 'Accept-Encoding': 'gzip' });
      const paths = Array.from({ length: GZIP_SCRAPERS }, (_, i) => `/metrics?scraper=n${i}`);
      const scrapes = async (): Promise<number> => {
        let ms = 0;
        for (let turn = 0; turn < GZIP_TURNS; turn += 1) {
          const before = server.cpuMs;
          for (const path of paths) await scraper.scrape(path);
          ms += server.cpuMs - before;
          // They have had everything; known no more, they get it again.
          for (const i of paths.keys())
            await fetch(`${server.url}/api/v1/scrapers/n${i}`, { method: 'DELETE' });
        }
        return ms / GZIP_TURNS / GZIP_SCRAPERS;
      };
      const takes = {
        o: scrapes,
        gzip: () => alone('gzipAlone.ts', file, GZIP_TURNS * GZIP_SCRAPERS, GZIP_LEVEL),
      };
      await interleave(WARM_UPS, takes);
      const { o, gzip } = await interleave(rounds, takes);
      return {
        figures: [
          atMost(
            1.3,
            ratio(o, gzip, (ms) => ms),
            'times gzip alone',
          ),
        ],
        notes: `${median(o).toFixed(1)} ms a scrape; gzip alone ${median(gzip).toFixed(1)} ms`,
      };
    },
  };
}

/** How late the event loop is while a backlog is scraped and events go on coming. */
export function eventLoopDelay(rounds: number): Measure {
  return {
    name: `event loop delay, ${PENDING.toLocaleString('en')} events scraped under posting load`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using server = await ours(folder, ['--scrapers.max=10000', '--scrapers.lookback=9m'], {
        preload: 'bench/delayPreload.ts',
      });
      await fill(server.url, PENDING);
      const values: { p99: number; max: number }[] = [];
      for (let round = 0; round < rounds; round += 1) values.push(await delayed(server, folder, round));
      const worst = Math.max(...values.map(({ max }) => max));
      return {
        figures: [
          atMost(20, median(values.map(({ p99 }) => p99)), 'ms', 'p99'),
          atMost(60, median(values.map(({ max }) => max)), 'ms', 'max'),
        ],
        notes: `worst of ${rounds} rounds ${worst.toFixed(1)} ms`,
      };
    },
  };
}

async function delayed(
  server: Awaited<ReturnType<typeof ours>>,
  folder: Folder,
  round: number,
): Promise<{ p99: number; max: number }> {
  const load = post(server.url, { path: '/event?type=load', connections: 16, seconds: 3 }, folder);
  await sleep(500);
  server.signal('SIGUSR2');
  using scraper = new Scraper(server.url);
  for (let had = 0; had < PENDING; had += 10_000) await scraper.scrape(`/metrics?scraper=late${round}`);
  server.signal('SIGUSR2');
  await load;
  const [, p99, max] = server.output.trimEnd().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  return { p99: p99 ?? Number.NaN, max: max ?? Number.NaN };
}
