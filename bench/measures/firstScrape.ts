import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Folder, ours, preparedBody } from '../candidates.ts';
import { fill } from '../events.ts';
import type { Measure, Outcome } from '../measure.ts';
import { atMost } from '../measure.ts';
import { interleave, ratio } from '../rounds.ts';
import { PROTOBUF, Scraper } from '../scraper.ts';
import { median } from '../statistics.ts';

const PENDING = 100_000;
/** How long after the last post the scrape comes, in ms. */
const PAUSE_MS = 2_000;
/** A server that has just started runs code that is not compiled yet. */
const WARM_UPS = 2;
/** No page is cut, and the pulses of all rounds may be open at once. */
const LIFTED = ['--scrape.eventsMax=1000000', '--scrape.bytesMax=256MiB', '--memory.max=2GiB'];
const MB = 1e6;

/** What one Prometheus waits for that scrapes alone: events that nobody has had before it. */
export function firstScrape(format: 'text' | 'protobuf', most: number, rounds: number): Measure {
  return {
    name: `first scrape of ${PENDING.toLocaleString('en')} pending, paging lifted, ${format}`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using server = await ours(folder, LIFTED);
      using scraper = new Scraper(server.url, format === 'protobuf' ? PROTOBUF : {});
      const path = `/metrics?scraper=only&timestamps=${format === 'protobuf' ? 'explicit' : 'scrape'}`;
      // The format must have been asked for.
      await scraper.scrape(path);
      let posted = 0;
      const first = async () => {
        await fill(server.url, PENDING, posted);
        posted += PENDING;
        await sleep(PAUSE_MS);
        const before = server.cpuMs;
        const scraped = await scraper.scrape(path);
        return { ...scraped, cpuMs: server.cpuMs - before };
      };
      const { body, contentType } = await first();
      const file = folder.file();
      writeFileSync(file, body);
      await using floor = await preparedBody(file, contentType);
      using floorScraper = new Scraper(floor.url);
      const again = async () => {
        const before = floor.cpuMs;
        const scraped = await floorScraper.scrape();
        return { ...scraped, cpuMs: floor.cpuMs - before };
      };
      const takes = { o: first, b: again };
      await interleave(WARM_UPS, takes);
      const { o, b } = await interleave(rounds, takes);
      const ms = (all: readonly { readonly ms: number }[]) => median(all.map((each) => each.ms)).toFixed(1);
      const cpu = (all: readonly { readonly cpuMs: number }[]) =>
        Math.min(...all.map(({ cpuMs }) => cpuMs)).toFixed(1);
      return {
        figures: [
          atMost(
            most,
            ratio(o, b, (each) => each.ms),
            'times (b)',
          ),
        ],
        notes: `${ms(o)} ms; (b) ${ms(b)} ms for ${(body.length / MB).toFixed(1)} MB; least processor time ${cpu(o)} ms, (b) ${cpu(b)} ms`,
      };
    },
  };
}
