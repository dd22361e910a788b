/** Makes a log of entries of 4 KiB: `node makeLog.ts <checkout> <folder> <entries>`. Its last line is how many there are. */
import { join } from 'node:path';
import type { NewEntry } from '../../../src/core/entry.ts';
import { millis } from '../../../src/core/millis.ts';
import { START } from '../../../src/core/offset.ts';
import { positionAt } from '../../../src/core/position.ts';
import type { SeriesText } from '../../../src/core/series.ts';
import type * as SqliteLogs from '../../../src/log/sqlite/sqliteLog.ts';
import { Random } from '../../faults/random.ts';
import { textsOf } from './texts.ts';

const BYTES = 4096;
const AT_ONCE = 500;
/** Well within what timed scrapes show at its own time. */
const AGE_MS = 10 * 60_000;
/** They came within so long. */
const SPAN_MS = 9 * 60_000;

const [checkout, path, count] = process.argv.slice(2) as [string, string, string];
const entries = Number(count);
const { SqliteLog } = (await import(join(checkout, 'src/log/sqlite/sqliteLog.ts'))) as typeof SqliteLogs;
const text = textsOf('cyrillic', BYTES - 40, new Random(1));
const begin = Date.now() - AGE_MS;
const arrivedOf = (at: number) => millis(begin + Math.floor((at / entries) * SPAN_MS));
const arrived = arrivedOf(0);
{
  await using log = new SqliteLog({ path, durability: 'process' });
  await log.start();
  // Somebody has yet to fetch all of it, so that nothing is trimmed.
  await log.saveScraper({
    id: 'from-the-beginning',
    identifiedBy: 'parameter',
    address: '127.0.0.1',
    firstSeen: arrived,
    lastSeen: arrived,
    position: positionAt(START),
    version: 1,
  });
  for (let first = 0; first < entries; first += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, entries - first) }, (_, at): NewEntry => {
      const series = `full{value="${text(first + at)}"}` as SeriesText;
      const time = arrivedOf(first + at);
      return { kind: 'event', series, value: 1, time, arrived: time };
    });
    await log.append(batch);
  }
}
console.log(JSON.stringify(entries));
