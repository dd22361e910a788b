import * as http from 'node:http';
import * as https from 'node:https';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { WitnessOptions } from './options.ts';
import { requestOptions } from './options.ts';

export interface HealthSeen {
  readonly asked: number;
  readonly failed: number;
  readonly worstMs: number;
  readonly p99Ms: number;
  /** How late this process itself was: beyond some ten ms it is the machine that is slow, and not only the server. */
  readonly ownLagMs: number;
}

const LOCAL_ADDRESS = '127.0.0.12';
const EVERY_MS = 50;
/** Whoever waits longer counts as failed; more than so many are not under way at once. */
const GIVE_UP_MS = 30_000;
const UNDER_WAY_MAX = 700;

/** Asks `/-/healthy` every 50 ms, each time on a new connection as a kubelet does, whether the one before was answered or not. */
export async function watchHealth(options: WitnessOptions, over: Promise<void>): Promise<HealthSeen> {
  const { request } = options.tls ? https : http;
  const latencies: number[] = [];
  const underWay = new Set<Promise<void>>();
  let failed = 0;
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      const began = performance.now();
      const done = (isWell: boolean): void => {
        if (!isWell) failed += 1;
        // One that was refused at once says nothing of how long an answer takes.
        if (isWell || performance.now() - began > 1000) latencies.push(performance.now() - began);
        resolve();
      };
      const sent = request({
        ...requestOptions(options, LOCAL_ADDRESS),
        path: '/-/healthy',
        agent: false,
        timeout: GIVE_UP_MS,
      });
      sent.on('response', (answer) => {
        answer.resume();
        answer.once('end', () => done(answer.statusCode === 200));
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer')));
      sent.once('error', () => done(false));
      sent.end();
    });
  const timer = setInterval(() => {
    if (underWay.size >= UNDER_WAY_MAX) return;
    const asked = ask();
    underWay.add(asked);
    void asked.then(() => underWay.delete(asked));
  }, EVERY_MS);
  await over;
  clearInterval(timer);
  await Promise.all(underWay);
  latencies.sort((a, b) => a - b);
  return {
    asked: latencies.length + failed,
    failed,
    worstMs: Math.round(latencies.at(-1) ?? Number.NaN),
    p99Ms: Math.round(latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN),
    ownLagMs: Math.round(lag.max / 1e6),
  };
}
