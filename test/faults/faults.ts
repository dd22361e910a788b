import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../support/faultProxy.ts';
import type { Stage } from './stage.ts';

/** How Prometheus comes to the server. `two targets`: two addresses, of which the server has one at a time. */
export type ScenarioPath = 'direct' | 'proxy' | 'wire' | 'two targets';

/** Something that goes wrong. Each strike is over when it resolves; it tells whether it struck. */
export interface Fault {
  readonly name: string;
  /** What it needs between the two; `direct` needs nothing, and strikes on every path. */
  readonly path: ScenarioPath;
  /** What an untimed scrape leaves to judge by: true evidence, none, or evidence that lies. */
  readonly evidence: 'true' | 'none' | 'lies';
  readonly needsDisk?: true;
  readonly killsCollector?: true;
  strike(stage: Stage): Promise<boolean>;
}

/** How long a strike waits for a response to break, in ms. */
const RESPONSE_MS_MAX = 8_000;
/** The scrape timeout is one second: some faults end before it, some last longer. */
const SHORT_MS = { low: 100, high: 700 };
const LONG_MS = { low: 1_200, high: 3_000 };

/** How long a response is disturbed, in ms: a slow one as long as the client waits. */
function lastsMs(plan: Plan): number {
  switch (plan.kind) {
    case 'cut':
      return 0;
    case 'stall':
      return plan.ms;
    case 'slow':
      return LONG_MS.low;
    default:
      return plan satisfies never;
  }
}

const broken = (name: string, evidence: Fault['evidence'], plan: (stage: Stage) => Plan): Fault => ({
  name,
  path: 'proxy',
  evidence,
  strike: async (stage) => {
    const planned = plan(stage);
    const struck = (await stage.proxy?.strike(planned, RESPONSE_MS_MAX)) ?? false;
    // A server that stops before the response is through leaves less evidence: that would be a fault of its own.
    if (struck) await sleep(lastsMs(planned));
    return struck;
  },
});

const cuts = (['first', 'middle', 'last'] as const).flatMap((at) => {
  const place = { first: 'before the first byte', middle: 'in the middle', last: 'before the last byte' }[at];
  return [
    broken(`cut ${place}`, 'lies', () => ({ kind: 'cut', at, client: 'fin', server: 'fin' })),
    broken(`reset ${place}`, 'true', () => ({ kind: 'cut', at, client: 'rst', server: 'rst' })),
  ];
});

const somewhere = ['first', 'middle', 'last'] as const;

const ofResponses: readonly Fault[] = [
  ...cuts,
  broken('cut at a random byte, the server sees a reset', 'true', ({ random }) => ({
    kind: 'cut',
    at: Math.floor(random.between(0, 12_000)),
    client: 'fin',
    server: 'rst',
  })),
  broken('closed after the last byte', 'true', () => ({
    kind: 'cut',
    at: 'after',
    client: 'fin',
    server: 'fin',
  })),
  broken('reset after the last byte', 'lies', () => ({
    kind: 'cut',
    at: 'after',
    client: 'fin',
    server: 'rst',
  })),
  broken('stall past the timeout', 'true', ({ random }) => ({
    kind: 'stall',
    at: random.pick(somewhere),
    ms: random.between(LONG_MS.low, LONG_MS.high),
  })),
  broken('delay', 'true', ({ random }) => ({
    kind: 'stall',
    at: random.pick(somewhere),
    ms: random.between(SHORT_MS.low, SHORT_MS.high),
  })),
  broken('slow', 'true', ({ random }) => ({ kind: 'slow', bytesPerSecond: random.between(4_000, 60_000) })),
];

/** Lasts for a while, then is undone, whatever happens. */
async function forAWhile(stage: Stage, range: typeof LONG_MS): Promise<true> {
  await sleep(stage.random.between(range.low, range.high));
  stage.heal();
  return true;
}

const ofTheWire: readonly Fault[] = [
  {
    name: 'packet loss',
    path: 'wire',
    // The end that a client sends at its timeout may come late, and then looks like one that was sent late.
    evidence: 'lies',
    strike: (stage) => {
      stage.wire?.lose(stage.random.between(0.1, 0.4));
      return forAWhile(stage, LONG_MS);
    },
  },
  {
    name: 'partition',
    path: 'wire',
    // The end that a client sends at its timeout may come late, and then looks like one that was sent late.
    evidence: 'lies',
    strike: async (stage) => {
      if (stage.random.chance(0.7)) await stage.aim();
      stage.wire?.lose(1);
      return forAWhile(stage, LONG_MS);
    },
  },
  {
    name: 'slow wire',
    path: 'wire',
    // A new connection may take most of the client's timeout, so that its end comes early as the server counts from the request.
    evidence: 'lies',
    strike: (stage) => {
      stage.wire?.slow(stage.random.between(10_000, 60_000), stage.random.between(20, 400));
      return forAWhile(stage, LONG_MS);
    },
  },
  {
    name: 'resets on the wire',
    path: 'wire',
    // What the client had read already ends in a reset as well.
    evidence: 'lies',
    strike: async (stage) => {
      await stage.aim();
      stage.wire?.reset();
      return forAWhile(stage, SHORT_MS);
    },
  },
];

const ofPrometheus: readonly Fault[] = [
  {
    name: 'prometheus stopped and continued',
    path: 'direct',
    // What it had read it may throw away when it goes on, since its timeout is over; its end then comes long after the timeout.
    evidence: 'lies',
    strike: async (stage) => {
      await stage.aim();
      const { pid } = stage.prometheus;
      process.kill(pid, 'SIGSTOP');
      try {
        await sleep(stage.random.between(LONG_MS.low, LONG_MS.high));
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      return true;
    },
  },
  {
    name: 'prometheus kill -9',
    path: 'direct',
    killsCollector: true,
    // What was read, but not stored yet, ends as well as what was stored.
    evidence: 'lies',
    strike: async (stage) => {
      await stage.aim();
      await stage.prometheus.kill();
      await stage.prometheus.start();
      await stage.untilUp();
      return true;
    },
  },
  {
    name: 'prometheus kill -9, its response on the way',
    path: 'proxy',
    killsCollector: true,
    evidence: 'lies',
    strike: async (stage) => {
      const plan: Plan = { kind: 'stall', at: stage.random.pick(somewhere), ms: SHORT_MS.high };
      const struck = await stage.proxy?.strike(plan, RESPONSE_MS_MAX);
      await stage.prometheus.kill();
      await stage.prometheus.start();
      await stage.untilUp();
      return struck ?? false;
    },
  },
  {
    name: 'prometheus reload',
    path: 'direct',
    // Idle connections close at any moment, the timeout's among them: then what arrived comes again, and is counted.
    evidence: 'none',
    strike: async (stage) => {
      if (stage.random.chance(0.5)) await stage.aim();
      await stage.reload();
      return true;
    },
  },
];

const ofTheServer: readonly Fault[] = [
  {
    name: 'server SIGTERM',
    path: 'direct',
    evidence: 'true',
    strike: async (stage) => {
      if (stage.random.chance(0.7)) await stage.aim();
      await stage.server.stop();
      await stage.server.start();
      return true;
    },
  },
  {
    name: 'server kill -9',
    path: 'direct',
    evidence: 'none',
    strike: async (stage) => {
      if (stage.random.chance(0.7)) await stage.aim();
      await stage.server.kill();
      await stage.server.start();
      return true;
    },
  },
  {
    name: 'server moves to the other target',
    path: 'two targets',
    // As a kill, now and then: then what arrived comes again, and is counted.
    evidence: 'none',
    strike: async (stage) => {
      if (stage.random.chance(0.7)) await stage.aim();
      if (stage.random.chance(0.5)) await stage.server.stop();
      else await stage.server.kill();
      stage.server.move();
      await stage.server.start();
      // Long enough for both to be scraped, and for pulses that began before the move to end after it.
      await sleep(stage.random.between(LONG_MS.low, LONG_MS.high));
      return true;
    },
  },
  {
    name: 'clock back two seconds',
    path: 'direct',
    evidence: 'true',
    strike: async (stage) => {
      stage.server.turnClock();
      await sleep(stage.random.between(SHORT_MS.low, LONG_MS.high));
      return true;
    },
  },
  {
    name: 'disk full',
    path: 'direct',
    evidence: 'true',
    needsDisk: true,
    strike: (stage) => {
      stage.disk?.fill();
      return forAWhile(stage, LONG_MS);
    },
  },
];

export const FAULTS: readonly Fault[] = [...ofResponses, ...ofTheWire, ...ofPrometheus, ...ofTheServer];

export function faultNamed(name: string): Fault {
  const fault = FAULTS.find((each) => each.name === name);
  if (fault === undefined) throw new RangeError(`no fault is called ${name}`);
  return fault;
}
