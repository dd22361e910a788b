import { setTimeout as sleep } from 'node:timers/promises';
import { Folder, built, hello, ours } from '../candidates.ts';
import { fill } from '../events.ts';
import type { Measure, Outcome } from '../measure.ts';
import { atMost } from '../measure.ts';
import { interleave } from '../rounds.ts';
import type { MeasuredServer, Start } from '../server.ts';
import { median } from '../statistics.ts';

const MB = 1e6;
const FULL_LOG = 1_000_000;
const ROOMY = ['--store.entriesMax=2000000', '--scrapers.backlogMax=2000000'];
/** What a start leaves behind is collected by then. */
const SETTLE_MS = 1_500;

interface Take extends Start {
  readonly rss: number;
}

async function take(start: () => Promise<MeasuredServer>): Promise<Take> {
  await using server = await start();
  await sleep(SETTLE_MS);
  return { ...server.start, rss: server.rss };
}

/**
 * How long a start takes of what the package and the image run, and how much memory it has then, beside the least that answers over HTTP. The time is the
 * processor's, and the least of all rounds: what else a machine does only adds to it.
 */
export function starting(rounds: number): Measure {
  return {
    name: 'start of the bundle',
    async run(): Promise<Outcome> {
      using folder = new Folder();
      const program = await built(folder);
      const [empty, full] = [folder.file(), folder.file()];
      {
        await using filling = await ours(folder, ROOMY, { path: full, program });
        await fill(filling.url, FULL_LOG);
      }
      const takes = await interleave(rounds, {
        hello: () => take(hello),
        empty: () => take(() => ours(folder, ROOMY, { path: empty, program })),
        full: () => take(() => ours(folder, ROOMY, { path: full, program })),
      });
      const least = (all: readonly Take[]) => Math.min(...all.map(({ cpuMs }) => cpuMs));
      const rss = (all: readonly Take[]) => median(all.map((one) => one.rss)) / MB;
      const shown = (of: (all: readonly Take[]) => number) =>
        [takes.empty, takes.full, takes.hello].map((all) => of(all).toFixed(0)).join(', ');
      const inAll = (all: readonly Take[]) => median(all.map(({ ms }) => ms));
      return {
        figures: [
          atMost(3, least(takes.empty) / least(takes.hello), 'times (e)', 'ready, nothing in the log'),
          atMost(
            5,
            least(takes.full) / least(takes.hello),
            'times (e)',
            'ready, 1,000,000 entries in the log',
          ),
          atMost(1.4, rss(takes.empty) / rss(takes.hello), 'times (e)', 'RSS, idle'),
        ],
        notes: `empty, full, (e): ${shown(least)} ms of the processor, ${shown(inAll)} ms in all, ${shown(rss)} MB`,
      };
    },
  };
}
