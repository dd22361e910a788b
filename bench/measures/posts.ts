import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from '../../src/access/tokens.ts';
import { Folder, bareHttp, durableHttp, ours } from '../candidates.ts';
import { NDJSON, lines } from '../events.ts';
import type { Load, Throughput } from '../load.ts';
import { loadBy, post } from '../load.ts';
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
    name: `POST /event, 3 labels, 64 connections, ${MANY_SCRAPERS} scrapers`,
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

/** A token, and a file that lets it write. */
function tokenIn(folder: Folder): { readonly token: string; readonly flag: string } {
  const token = newToken(randomBytes(TOKEN_RANDOM_BYTES));
  const file = folder.file();
  writeFileSync(file, tokenEntry({ name: 'bench', scopes: ['write'], hash: hashToken(token) }));
  return { token, flag: `--auth.tokens.file=${file}` };
}

/** What the docs recommend, an id for each event and a token, against a bare post. */
export function keyedPosting(connections: number, most: number, effort: Effort): Measure {
  return {
    name: `POST /event with an id and a token, ${connections} connections`,
    async run(): Promise<Outcome> {
      using folder = new Folder();
      const { token, flag } = tokenIn(folder);
      await using bare = await ours(folder, knowing(1));
      await using keyed = await ours(folder, [...knowing(1), flag]);
      const line = `POST ${THREE_LABELS} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
      const microseconds = (server: MeasuredServer, headers: string) => async () => {
        const before = server.cpuMs;
        const request = `${line}${headers}\r\n`;
        const count = await loadBy('keyedPosts.ts', server.port, connections, effort.seconds, request);
        return ((server.cpuMs - before) * 1000) / count;
      };
      const headers = `Authorization: Bearer ${token}\r\nIdempotency-Key: "{key}"\r\n`;
      // Both at once, so that what slows one down slows down the other.
      const takes = [microseconds(bare, ''), microseconds(keyed, headers)] as const;
      const both = { both: () => Promise.all(takes.map((take) => take())) };
      await interleave(1, both);
      const { both: taken } = await interleave(effort.rounds, both);
      const [plain, whole] = [0, 1].map((side) => taken.map((pair) => pair[side] as number)) as [
        number[],
        number[],
      ];
      const same = (value: number): number => value;
      return {
        figures: [atMost(most, ratio(whole, plain, same), 'of a bare post', 'processor time')],
        notes: `${median(whole).toFixed(1)} µs; a bare post ${median(plain).toFixed(1)} µs`,
      };
    },
  };
}

/** Our own client, which waits for each event, against the plainest durable server. */
export function clientPosting(least: number, effort: Effort): Measure {
  return {
    name: 'the client, one event after the other, with a token',
    async run(): Promise<Outcome> {
      using folder = new Folder();
      const { token, flag } = tokenIn(folder);
      await using d = await durableHttp(folder);
      await using server = await ours(folder, [...knowing(1), flag]);
      const takeFrom = (from: MeasuredServer) => () =>
        loadBy('clientPosts.ts', from.url, effort.seconds, token);
      const takes = { d: takeFrom(d), o: takeFrom(server) };
      await interleave(1, takes);
      const { d: durable, o } = await interleave(effort.rounds, takes);
      const same = (value: number): number => value;
      const shown = (values: readonly number[]): string => Math.round(median(values)).toLocaleString('en');
      return {
        figures: [atLeast(least, ratio(o, durable, same), 'of (d)')],
        notes: `${shown(o)}/s; (d) ${shown(durable)}/s`,
      };
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
