import { setTimeout as sleep } from 'node:timers/promises';
import { alone } from '../alone.ts';
import { Folder, ours } from '../candidates.ts';
import { fill } from '../events.ts';
import type { Throughput } from '../load.ts';
import { post } from '../load.ts';
import type { Measure, Outcome } from '../measure.ts';
import { atLeast } from '../measure.ts';
import { interleave, ratio } from '../rounds.ts';
import type { MeasuredServer } from '../server.ts';
import { median } from '../statistics.ts';
import { WriteReceiver } from '../writeReceiver.ts';
import type { Effort } from './posts.ts';

const PENDING = 100_000;
const ROWS_A_SYNC = 1_000;
const CONNECTIONS = 64;
const THREE_LABELS = '/event?type=deploy&service=api&version=1.2.3';
const POLL_MS = 25;
const DRAINED_MS_MAX = 60_000;
/** No pulse ends meanwhile, so all rounds' series are in memory; and the backlog has room for what comes in while the receiver is away. */
const LIFTED = ['--pulse.width=40m', '--scrapers.backlogMax=1000000', '--memory.max=2GiB'];

/** A backlog that a sink sends once its receiver is back, from the first request to the last, as events a second. */
export function drain(effort: Effort): Measure {
  return {
    name: `${PENDING.toLocaleString('en')} pending, drained to a sink`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using receiver = await WriteReceiver.start();
      await using server = await ours(folder, [...LIFTED, receiver.flag]);
      let from = 0;
      const drained = async (): Promise<number> => {
        receiver.isOpen = false;
        await fill(server.url, PENDING, from);
        from += PENDING;
        receiver.begin();
        receiver.isOpen = true;
        await untilDrained(server);
        return (PENDING / (receiver.last - receiver.first)) * 1000;
      };
      const takes = {
        o: drained,
        c: () => alone('sqliteInsert.ts', folder.file(), ROWS_A_SYNC, effort.seconds),
      };
      await interleave(1, takes);
      const { o, c } = await interleave(effort.rounds, takes);
      const shown = (values: readonly number[]): string => Math.round(median(values)).toLocaleString('en');
      const size = `${receiver.requests} requests of ${Math.round(receiver.bytes / receiver.requests / 1000)} kB`;
      return {
        figures: [
          atLeast(
            0.5,
            ratio(o, c, (rate) => rate),
            'of (c)',
          ),
        ],
        notes: `${shown(o)} events/s; (c) ${shown(c)} rows/s; ${size}`,
      };
    },
  };
}

async function untilDrained(server: MeasuredServer): Promise<void> {
  const deadline = performance.now() + DRAINED_MS_MAX;
  while (performance.now() < deadline) {
    await sleep(POLL_MS);
    const answer = await fetch(`${server.url}/api/v1/scrapers`);
    const { scrapers } = (await answer.json()) as { scrapers: { pending: number }[] };
    if (scrapers.every(({ pending }) => pending === 0)) return;
  }
  throw new Error(`the sink was not drained after ${DRAINED_MS_MAX} ms`);
}

/** Posts at full load, with a sink that takes everything, and with one whose receiver is away. */
export function postingWithSink(effort: Effort): Measure {
  return {
    name: `POST /event, 3 labels, ${CONNECTIONS} connections, with a sink`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using receiver = await WriteReceiver.start();
      await using closed = await WriteReceiver.start();
      closed.isOpen = false;
      await using none = await ours(folder, ['--scrapers.known=s0']);
      await using one = await ours(folder, [receiver.flag]);
      await using away = await ours(folder, [closed.flag]);
      const load = { path: THREE_LABELS, connections: CONNECTIONS, seconds: effort.seconds };
      const takeOf = (server: MeasuredServer) => async (): Promise<Throughput> => {
        const result = await post(server.url, load, folder);
        if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
        return result;
      };
      const takes = { none: takeOf(none), one: takeOf(one), away: takeOf(away) };
      await interleave(1, takes);
      const values = await interleave(effort.rounds, takes);
      const rate = (all: readonly Throughput[]): string =>
        Math.round(median(all.map(({ perSecond }) => perSecond))).toLocaleString('en');
      const against = (all: readonly Throughput[]) => ratio(all, values.none, ({ perSecond }) => perSecond);
      return {
        figures: [
          atLeast(0.9, against(values.one), 'of none'),
          atLeast(0.9, against(values.away), 'of none', 'its receiver is away'),
        ],
        notes: `${rate(values.one)}/s; none ${rate(values.none)}/s, away ${rate(values.away)}/s`,
      };
    },
  };
}
