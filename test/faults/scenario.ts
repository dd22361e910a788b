import { setTimeout as sleep } from 'node:timers/promises';
import { upGaps } from '../support/tsdb.ts';
import type { CollectorName } from './collector.ts';
import { collectorOf } from './collector.ts';
import { Counters } from './counters.ts';
import type { Fault, ScenarioPath } from './faults.ts';
import { faultNamed } from './faults.ts';
import type { FormatName } from './format.ts';
import { formatOf } from './format.ts';
import { Lateness } from './lateness.ts';
import { Random } from './random.ts';
import { INTERVAL_MS, JOB, SCRAPER, Stage } from './stage.ts';
import type { Accepted } from './stream.ts';
import { EventStream } from './stream.ts';
import type { Verdict } from './verdict.ts';
import { judgeTimed, judgeUntimed } from './verdict.ts';
import { Witness } from './witness.ts';

/** What to try; plain data, so that it can be handed into a namespace. */
export interface Scenario {
  readonly name: string;
  /** One fault again and again, or several in a random order. */
  readonly faults: readonly string[];
  readonly path: ScenarioPath;
  readonly format: FormatName;
  readonly version: CollectorName;
  readonly seconds: number;
  readonly seed: number;
}

/** What came of it: one line of the table. */
export interface Row {
  readonly fault: string;
  readonly format: FormatName;
  readonly version: CollectorName;
  readonly strikes: number;
  readonly events: number;
  readonly lost: number;
  readonly twice: number;
  /** At another time than accepted, or in another series, and ends of pulses that are missing or stand elsewhere. */
  readonly wrong: number;
  readonly upGaps: number;
  readonly unproven: number;
  readonly doubtful: number;
  /** How far behind the machine was at most, in ms. */
  readonly lateMs: number;
  /** Why this is not as it should be; empty when all is well. */
  readonly problems: readonly string[];
  /** What the server wrote, where there are problems. */
  readonly log: string;
}

const EVENTS_PER_SECOND = 60;
const PAUSE_MS = { low: 200, high: 1_400 };
const SETTLE_MS_MAX = 90_000;
/** How late a pulse's end may come to the log, in ms: the server's clock may be two seconds behind. */
const PULSES_END_MS = 4_000;
/** The scrapes that prove the last ones. */
const LAST_SCRAPES_MS = 2_500;
const SHOWN_MAX = 5;

/** Plays a scenario, then compares the TSDB with what was accepted. The namespace is the server's, where the wire is the path. */
export async function play(scenario: Scenario, serverNamespace?: string): Promise<Row> {
  const faults = scenario.faults.map((name) => faultNamed(name));
  const format = formatOf(scenario.format, scenario.version);
  const random = new Random(scenario.seed);
  const smallDisk = faults.some(({ needsDisk }) => needsDisk === true);
  const collector = collectorOf(scenario.version, format.prometheusFlags);
  const options = { collector, format, path: scenario.path, smallDisk, serverNamespace, random };
  await using stage = await Stage.set(options);
  const { server } = stage;
  const { timed } = format;
  const from = Date.now();
  await using stream = new EventStream(() => server.url, {
    series: format.series,
    perSecond: EVENTS_PER_SECOND,
    random: new Random(scenario.seed),
  });
  using lateness = new Lateness();
  await using counters = new Counters(server, SCRAPER, lateness);
  await using witness = timed ? new Witness(server) : undefined;
  counters.start();
  witness?.start();
  stream.start();
  const strikes = await strikeOn(stage, faults, scenario.seconds * 1000);
  stage.heal();
  await stream.stop();
  if (format.pulseMs !== undefined) await sleep(format.pulseMs + PULSES_END_MS);
  const left = await settle(stage, counters);
  await witness?.stop();
  await counters.stop();
  const to = Date.now() + (format.pulseMs ?? 0);
  const stored = await collector.stored('events_to_metrics', from - INTERVAL_MS * 60, to);
  const verdict = timed
    ? judgeTimed(stream.accepted, stored, witness?.seen ?? new Map(), format.pulseMs)
    : judgeUntimed(stream.accepted, stored);
  const counted = counters.total;
  const problems = [
    ...problemsOf(verdict, boundsOf(counters), { timed, faults, lateness, accepted: stream.accepted }),
    ...(left === 0
      ? []
      : [`${left ?? 'unknown'} events were still pending ${SETTLE_MS_MAX} ms after the last fault`]),
    ...(witness?.contradictions ?? []).slice(0, SHOWN_MAX),
    ...(server.crash === undefined ? [] : [`the server: ${server.crash}`]),
    ...(counted.dropped === 0 ? [] : [`${counted.dropped} entries were dropped`]),
    ...(strikes === 0 ? ['no fault struck'] : []),
  ];
  return {
    fault: scenario.name,
    format: scenario.format,
    version: scenario.version,
    strikes,
    events: stream.accepted.size,
    lost: verdict.lost.length,
    twice: verdict.twice.length,
    wrong: verdict.wrong.length,
    upGaps: upGaps(await collector.stored('up', from, to), JOB, INTERVAL_MS),
    unproven: counted.unproven,
    doubtful: counted.doubtful,
    lateMs: lateness.maxMs,
    problems,
    log: problems.length === 0 ? '' : server.output,
  };
}

/** Strikes again and again until the time is over; each fault at least once, then at random. Resolves to how often. */
async function strikeOn(stage: Stage, faults: readonly Fault[], ms: number): Promise<number> {
  const until = performance.now() + ms;
  let strikes = 0;
  let queue: Fault[] = [];
  while (performance.now() < until) {
    await sleep(stage.random.between(PAUSE_MS.low, PAUSE_MS.high));
    if (queue.length === 0) queue = [...faults];
    const fault = stage.random.pick(queue);
    queue = queue.filter((each) => each !== fault);
    if (await fault.strike(stage)) strikes += 1;
  }
  return strikes;
}

/** Waits until Prometheus has collected everything, leases over included. Resolves to how many events it has not. */
async function settle(stage: Stage, counters: Counters): Promise<number | undefined> {
  await stage.untilUp();
  const until = performance.now() + SETTLE_MS_MAX;
  let left = await counters.read();
  while (left !== 0 && performance.now() < until) {
    await sleep(INTERVAL_MS / 4);
    left = await counters.read();
  }
  await sleep(LAST_SCRAPES_MS);
  return left;
}

interface Bounds {
  readonly unproven: number;
  readonly doubtful: number;
}

/** What was counted, and what a kill may have kept from being read. */
function boundsOf({ total, hidden }: Counters): Bounds {
  return { unproven: total.unproven + hidden, doubtful: total.doubtful + hidden };
}

interface Circumstances {
  readonly timed: boolean;
  readonly faults: readonly Fault[];
  readonly lateness: Lateness;
  readonly accepted: Accepted;
}

/**
 * Timed: nothing lost, twice or wrong, ever. Untimed: the same where all faults leave true evidence, but for events of moments at which
 * the machine was too far behind for that; and whatever the faults, no more than was counted.
 */
function problemsOf(verdict: Verdict, bounds: Bounds, circumstances: Circumstances): string[] {
  const { lost, twice, wrong } = verdict;
  const { timed, faults, lateness, accepted } = circumstances;
  const problems: string[] = [];
  const tell = (what: string, most: number, found: readonly unknown[]): void => {
    if (found.length <= most) return;
    problems.push(
      `${found.length} ${what} where ${most} may be: ${JSON.stringify(found.slice(0, SHOWN_MAX))}`,
    );
  };
  if (!timed && faults.every(({ evidence }) => evidence === 'true')) {
    tell(
      'lost',
      0,
      lost.filter((n) => !lateness.within(accepted.get(n) as number)),
    );
    tell(
      'twice',
      0,
      twice.filter(({ at }) => !lateness.within(at[0] as number, at.at(-1))),
    );
  }
  tell('lost', timed ? 0 : bounds.unproven, lost);
  tell('twice', timed ? 0 : bounds.doubtful, twice);
  tell('wrong', 0, wrong);
  return problems;
}
