import * as http from 'node:http';
import * as https from 'node:https';
import { performance } from 'node:perf_hooks';
import { waitedForCore } from '../waited.ts';
import type { WitnessOptions } from './options.ts';
import { requestOptions } from './options.ts';

export interface HealthSeen {
  readonly asked: number;
  readonly failed: number;
  readonly worstMs: number;
  readonly p99Ms: number;
  /** The worst without what the machine is to blame for: the time in which the server had no core, and this process was late. */
  readonly worstOfServerMs: number;
}

const LOCAL_ADDRESS = '127.0.0.12';
const EVERY_MS = 50;
/** Whoever waits longer counts as failed; more than so many are not under way at once. */
const GIVE_UP_MS = 30_000;
const UNDER_WAY_MAX = 700;
const REFUSED_MS = 1_000;
const TICK_MS = 10;

/** Asks `/-/healthy` every 50 ms, each time on a new connection as a kubelet does, whether the one before was answered or not. */
export async function watchHealth(options: WitnessOptions, over: Promise<void>): Promise<HealthSeen> {
  const { request } = options.tls ? https : http;
  const latencies: number[] = [];
  let worstOfServerMs = 0;
  const underWay = new Set<Promise<void>>();
  let [asked, failed] = [0, 0];
  // How late this process was so far, in all, by a timer of its own.
  let [ownLagMs, ticked] = [0, performance.now()];
  const ticking = setInterval(() => {
    const now = performance.now();
    ownLagMs += Math.max(0, now - ticked - TICK_MS);
    ticked = now;
  }, TICK_MS);
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      const [began, ownBefore, waitedBefore] = [performance.now(), ownLagMs, waitedForCore(options.pid)];
      const done = (isWell: boolean): void => {
        const took = performance.now() - began;
        if (!isWell) failed += 1;
        // One that was refused at once says nothing of how long an answer takes.
        if (isWell || took > REFUSED_MS) {
          latencies.push(took);
          // The two may be the same time.
          const ofServer = took - Math.max(ownLagMs - ownBefore, waitedForCore(options.pid) - waitedBefore);
          // A process that is gone has no such figures.
          worstOfServerMs = Math.max(worstOfServerMs, Number.isNaN(ofServer) ? took : ofServer);
        }
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
    asked += 1;
    const one = ask();
    underWay.add(one);
    void one.then(() => underWay.delete(one));
  }, EVERY_MS);
  await over;
  clearInterval(timer);
  await Promise.all(underWay);
  clearInterval(ticking);
  latencies.sort((a, b) => a - b);
  return {
    asked,
    failed,
    worstMs: Math.round(latencies.at(-1) ?? Number.NaN),
    p99Ms: Math.round(latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN),
    worstOfServerMs: Math.round(worstOfServerMs),
  };
}
