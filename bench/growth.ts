/**
 * Measures what grows with what, and draws it: throughput and memory against scrapers, the time of a scrape against pending events, each
 * with its floor. Writes SVG files.
 *
 *     npm run bench:growth -- --into docs/performance
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Folder, bareHttp, durableHttp, ours, preparedBody } from './candidates.ts';
import { fill } from './events.ts';
import { post } from './load.ts';
import type { Plot } from './plot.ts';
import { draw } from './plot.ts';
import { Scraper } from './scraper.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: 'docs/performance' },
    rounds: { type: 'string', default: '5' },
    pendingMax: { type: 'string', default: '1000000' },
  },
});
const ROUNDS = Number(values.rounds);
const MB = 1e6;
const SCRAPERS = [1, 10, 100, 1_000];
const PENDING = [10, 100, 1_000, 10_000, 100_000, 1_000_000].filter((n) => n <= Number(values.pendingMax));
const LOAD = { path: '/event?type=deploy&service=api&version=1.2.3', connections: 64, seconds: 1 };
const LIFTED = [
  '--scrape.eventsMax=1000000',
  '--scrape.bytesMax=256MiB',
  '--scrapers.max=10000',
  '--scrapers.lookback=9m',
  '--store.entriesMax=3000000',
  '--scrapers.backlogMax=3000000',
];

mkdirSync(values.into, { recursive: true });
for (const [name, plot] of Object.entries({ ...(await byScrapers()), ...(await byPending()) }))
  writeFileSync(join(values.into, `${name}.svg`), draw(plot));

/** Accepting costs the same for one scraper and for a thousand; each costs a little memory. */
async function byScrapers(): Promise<Record<string, Plot>> {
  const points = { ours: [] as [number, number][], a: [] as [number, number][], d: [] as [number, number][] };
  const memory: [number, number][] = [];
  const bareMemory: [number, number][] = [];
  for (const count of SCRAPERS) {
    using folder = new Folder();
    const known = Array.from({ length: count }, (_, i) => `s${i}`).join(',');
    await using server = await ours(folder, [`--scrapers.known=${known}`, '--scrapers.max=2000']);
    await using a = await bareHttp();
    await using d = await durableHttp(folder);
    const rates: Record<keyof typeof points, number[]> = { ours: [], a: [], d: [] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [name, each] of Object.entries({ ours: server, a, d }))
        rates[name as keyof typeof points].push((await post(each.url, LOAD, folder)).perSecond);
    }
    await sleep(1_000);
    memory.push([count, server.rss / MB]);
    bareMemory.push([count, a.rss / MB]);
    for (const name of Object.keys(points) as (keyof typeof points)[])
      points[name].push([count, median(rates[name].slice(1))]);
    console.log(
      `${count} scrapers: ${points.ours.at(-1)?.[1].toFixed(0)}/s, ${memory.at(-1)?.[1].toFixed(0)} MB`,
    );
  }
  const floors = [
    { name: '(a) bare HTTP', points: points.a },
    { name: '(d) durable', points: points.d },
  ];
  return {
    'throughput-by-scrapers': {
      title: 'Events accepted, by known scrapers',
      x: 'scrapers',
      y: 'events/s',
      lines: [{ name: 'this server', points: points.ours }, ...floors],
    },
    'memory-by-scrapers': {
      title: 'Resident memory after the load, by known scrapers',
      x: 'scrapers',
      y: 'MB',
      lines: [
        { name: 'this server', points: memory },
        { name: '(a) bare HTTP', points: bareMemory },
      ],
    },
  };
}

/** The time of one scrape of everything, beside that of sending the same bytes. */
async function byPending(): Promise<Record<string, Plot>> {
  const scrapes: [number, number][] = [];
  const floors: [number, number][] = [];
  using folder = new Folder();
  await using server = await ours(folder, LIFTED);
  let filled = 0;
  let scraper = 0;
  for (const pending of PENDING) {
    await fill(server.url, pending - filled, filled);
    filled = pending;
    const ms: number[] = [];
    let body: Buffer = Buffer.alloc(0);
    using client = new Scraper(server.url);
    for (let round = 0; round <= ROUNDS; round += 1) {
      const scraped = await client.scrape(`/metrics?scraper=n${(scraper += 1)}`);
      ms.push(scraped.ms);
      body = scraped.body;
    }
    const file = folder.file();
    writeFileSync(file, body);
    await using floor = await preparedBody(file, 'text/plain; version=0.0.4');
    using other = new Scraper(floor.url);
    const floorMs: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) floorMs.push((await other.scrape()).ms);
    scrapes.push([pending, median(ms.slice(1))]);
    floors.push([pending, median(floorMs.slice(1))]);
    console.log(
      `${pending} pending: ${scrapes.at(-1)?.[1].toFixed(2)} ms, floor ${floors.at(-1)?.[1].toFixed(2)} ms`,
    );
  }
  return {
    'scrape-by-pending': {
      title: 'Time of a scrape in text, paging lifted, by pending events',
      x: 'pending events',
      y: 'ms',
      lines: [
        { name: 'this server', points: scrapes },
        { name: '(b) prepared body', points: floors },
      ],
    },
  };
}
