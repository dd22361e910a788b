import { Folder, bareHttp, durableHttp, ours } from '../candidates.ts';
import { NDJSON, lines } from '../events.ts';
import type { Load, Throughput } from '../load.ts';
import { post } from '../load.ts';
import type { Measure, Outcome } from '../measure.ts';
import { atLeast, atMost } from '../measure.ts';
import { interleave, ratio } from '../rounds.ts';
import type { MeasuredServer } from '../server.ts';
import { alone } from '../alone.ts';
import { median } from '../statistics.ts';

export interface Effort {
  readonly rounds: number;
  /** Of each take. */
  readonly seconds: number;
}

const THREE_LABELS = '/event?type=deploy&service=api&version=1.2.3';
const BATCH_EVENTS = 100;
const ROWS_A_SYNC = 1_000;
const MANY_SCRAPERS = 500;

const perSecond = (one: Throughput): number => one.perSecond;
const p99 = (one: Throughput): number => one.p99;
const rate = (takes: readonly Throughput[]): string =>
  Math.round(median(takes.map(perSecond))).toLocaleString('en');

/** A known scraper that never comes: its backlog is bounded, and each event waits for it. */
const knowing = (count: number): string[] => [
  `--scrapers.known=${Array.from({ length: count }, (_, i) => `s${i}`).join(',')}`,
  `--scrapers.max=${count + 1}`,
];

/** A take: warms up for a moment, then counts. Throws where a request failed: a fast refusal is no speed. */
const takeOf = (server: MeasuredServer, load: Load, folder: Folder) => async (): Promise<Throughput> => {
  const result = await post(server.url, load, folder);
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
  return result;
};

/** One event a request against bare HTTP and the plainest durable server. */
export function posting(
  connections: number,
  bars: { bare: number; durable: number; p99?: number },
  effort: Effort,
): Measure {
  return {
    name: `POST /event, 3 labels, ${connections} connection${connections === 1 ? '' : 's'}, 1 scraper`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using a = await bareHttp();
      await using d = await durableHttp(folder);
      await using server = await ours(folder, knowing(1));
      const load = { path: THREE_LABELS, connections, seconds: effort.seconds };
      const takes = {
        a: takeOf(a, load, folder),
        d: takeOf(d, load, folder),
        o: takeOf(server, load, folder),
      };
      await interleave(1, takes);
      const { a: bare, d: durable, o } = await interleave(effort.rounds, takes);
      const figures = [atLeast(bars.durable, ratio(o, durable, perSecond), 'of (d)')];
      if (bars.bare > 0) figures.unshift(atLeast(bars.bare, ratio(o, bare, perSecond), 'of (a)'));
      if (bars.p99 !== undefined) figures.push(atMost(bars.p99, ratio(o, bare, p99), 'of (a)', 'p99'));
      const tails = [o, bare].map((of) => median(of.map(p99)).toFixed(1));
      const slowest = bars.p99 === undefined ? '' : `; p99 ${tails[0]} ms, (a) ${tails[1]} ms`;
      return { figures, notes: `${rate(o)}/s; (a) ${rate(bare)}/s, (d) ${rate(durable)}/s${slowest}` };
    },
  };
}

/** The same with many scrapers known: accepting costs the same for all of them. */
export function manyScrapers(effort: Effort): Measure {
  return {
    name: `the same, 64 connections, ${MANY_SCRAPERS} scrapers`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using one = await ours(folder, knowing(1));
      await using many = await ours(folder, knowing(MANY_SCRAPERS));
      const load = { path: THREE_LABELS, connections: 64, seconds: effort.seconds };
      const takes = { one: takeOf(one, load, folder), many: takeOf(many, load, folder) };
      await interleave(1, takes);
      const { one: few, many: lots } = await interleave(effort.rounds, takes);
      const figures = [atLeast(0.95, ratio(lots, few, perSecond), 'of 1 scraper')];
      return { figures, notes: `${rate(lots)}/s; 1 scraper ${rate(few)}/s` };
    },
  };
}

/** Batches of events, one JSON object a line. */
export function batches(effort: Effort): Measure {
  return {
    name: `NDJSON, ${BATCH_EVENTS} events a request`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      await using a = await bareHttp();
      await using server = await ours(folder, knowing(1));
      const body = { text: lines(0, BATCH_EVENTS), type: NDJSON };
      const load = { path: '/event', connections: 16, seconds: effort.seconds, body };
      const events = (take: () => Promise<Throughput>) => async () => (await take()).perSecond * BATCH_EVENTS;
      const takes = {
        a: events(takeOf(a, load, folder)),
        o: events(takeOf(server, load, folder)),
        c: () => alone('sqliteInsert.ts', folder.file(), ROWS_A_SYNC, effort.seconds),
      };
      await interleave(1, takes);
      const { a: bare, o, c } = await interleave(effort.rounds, takes);
      const same = (value: number): number => value;
      const shown = (values: readonly number[]): string => Math.round(median(values)).toLocaleString('en');
      return {
        figures: [atLeast(0.4, ratio(o, bare, same), 'of (a)'), atLeast(0.5, ratio(o, c, same), 'of (c)')],
        notes: `${shown(o)} events/s; (a) ${shown(bare)}, (c) ${shown(c)} rows/s`,
      };
    },
  };
}
