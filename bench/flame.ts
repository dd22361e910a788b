/**
 * Profiles the server under the loads that the bars are about, draws flame graphs of that, and tells which functions took the most. With
 * `--server` another checkout is profiled: what was before a change.
 *
 *     npm run bench:flame -- --into docs/performance --name after --server ../before/src/main.ts
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Folder } from './candidates.ts';
import { NDJSON, fill, lines } from './events.ts';
import { drawFlames, topOf } from './flameGraph.ts';
import { post } from './load.ts';
import { Scraper } from './scraper.ts';
import { MeasuredServer } from './server.ts';

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: 'docs/performance' },
    name: { type: 'string', default: 'now' },
    only: { type: 'string', default: '' },
    server: { type: 'string', default: 'src/main.ts' },
    seconds: { type: 'string', default: '3' },
  },
});
const SECONDS = Number(values.seconds);
const PENDING = 10_000;
const SHOWN = 12;

type Work = (server: MeasuredServer, folder: Folder) => Promise<unknown>;

/** What is profiled, and what comes before it. */
const LOADS: Readonly<
  Record<string, { readonly title: string; readonly before?: Work; readonly work: Work }>
> = {
  posts: {
    title: 'POST /event, 64 connections',
    work: ({ url }, folder) =>
      post(
        url,
        { path: '/event?type=deploy&service=api&version=1.2.3', connections: 64, seconds: SECONDS },
        folder,
      ),
  },
  batches: {
    title: 'NDJSON, 100 events a request, 16 connections',
    work: ({ url }, folder) =>
      post(
        url,
        { path: '/event', connections: 16, seconds: SECONDS, body: { text: lines(0, 100), type: NDJSON } },
        folder,
      ),
  },
  scrapes: {
    title: `scrapes of ${PENDING.toLocaleString('en')} pending, text, gzip, by ten scrapers in turn, which are then forgotten`,
    before: ({ url }) => fill(url, PENDING),
    work: async ({ url }) => {
      using scraper = new Scraper(url, { 'Accept-Encoding': 'gzip' });
      const until = performance.now() + SECONDS * 1000;
      for (let turn = 0; performance.now() < until && turn < 1_000; turn += 1) {
        for (let n = 0; n < 10; n += 1) await scraper.scrape(`/metrics?scraper=n${n}`);
        for (let n = 0; n < 10; n += 1) await fetch(`${url}/api/v1/scrapers/n${n}`, { method: 'DELETE' });
      }
    },
  },
};

mkdirSync(values.into, { recursive: true });
for (const [name, { title, before, work }] of Object.entries(LOADS).filter(([each]) =>
  each.includes(values.only),
)) {
  using folder = new Folder();
  const file = folder.file();
  process.env['PROFILE_FILE'] = file;
  const flags = [
    '--server.host=127.0.0.1',
    '--server.port=0',
    '--log.level=WARN',
    `--store.path=${folder.file()}`,
    '--scrapers.max=10000',
    '--scrapers.lookback=9m',
  ];
  await using server = await MeasuredServer.start(resolve(values.server), flags, {
    preload: 'bench/profilePreload.ts',
  });
  await before?.(server, folder);
  // What runs for the first time is compiled, which is no part of the load.
  await work(server, folder);
  server.signal('SIGUSR2');
  await sleep(200);
  await work(server, folder);
  server.signal('SIGUSR2');
  for (let i = 0; i < 500 && !server.output.includes('profiled'); i += 1) await sleep(20);
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profiler.Profile;
  writeFileSync(
    join(values.into, `flames-${name}-${values.name}.svg`),
    drawFlames(`${title} (${values.name})`, profile),
  );
  console.log(`${title}:`);
  for (const [what, share] of topOf(profile, SHOWN))
    console.log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${what}`);
}
