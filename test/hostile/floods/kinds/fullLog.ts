import { askAll } from '../connection.ts';
import type { Flood } from '../flood.ts';
import { headOf } from '../posts.ts';

/** Kind 13: a log that is full of large entries before the server starts, read from its beginning by one who comes then. */
export const FULL_LOG: readonly Flood[] = [
  {
    kind: 13,
    name: 'a log full of entries of 4 KiB, scraped from its beginning',
    isUsual: true,
    setting: {
      flags: ['--store.bytesMax=16GiB', '--scrapers.backlogMax=1000000', '--scrapers.lookback=9m'],
      entries: { usual: 250_000, large: 1_000_000 },
    },
    send: (victim) =>
      askAll(victim, 1, () => [
        headOf('GET', '/metrics?scraper=from-the-beginning&timestamps=explicit', {
          'X-Prometheus-Scrape-Timeout-Seconds': 30,
        }),
      ]),
  },
];
