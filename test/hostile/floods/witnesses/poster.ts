import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { setTimeout as later } from 'node:timers';
import type { WitnessOptions } from './options.ts';
import { LEGITIMATE, isStillFlooded, requestOptions } from './options.ts';

export interface PosterSeen {
  readonly posted: number;
  /** The numbers of the events that were answered with 200. */
  readonly accepted: readonly number[];
  readonly retries: number;
  /** From the first attempt to the 200. */
  readonly slowestMs: number;
  /** Statuses that are no reason to try again, and so lose an event. */
  readonly refusedWith: readonly number[];
}

const LOCAL_ADDRESS = '127.0.0.11';
const EVERY_MS = 1000;
const ATTEMPT_MS_MAX = 10_000;
const RETRY_AFTER_MS = 1000;
/** How long retries go on once the flood is over. */
const AFTER_MS_MAX = 20_000;

/** Posts an event a second under an id, and tries again under it as a good client does. */
export async function post(options: WitnessOptions, over: Promise<void>): Promise<PosterSeen> {
  const accepted: number[] = [];
  const refusedWith: number[] = [];
  const underWay: Promise<void>[] = [];
  let [retries, slowestMs, endsAt] = [0, 0, Number.POSITIVE_INFINITY];
  const deliver = async (n: number): Promise<void> => {
    const began = performance.now();
    while (performance.now() < endsAt) {
      const { status, retryAfterMs } = await attempt(options, n);
      if (status === 200) {
        accepted.push(n);
        slowestMs = Math.max(slowestMs, performance.now() - began);
        return;
      }
      if (status !== 0 && status !== 429 && status < 500) {
        refusedWith.push(status);
        return;
      }
      retries += 1;
      await sleep(Math.max(0, Math.min(retryAfterMs, endsAt - performance.now())));
    }
  };
  let posted = 0;
  do underWay.push(deliver(posted++));
  while (await isStillFlooded(over, EVERY_MS));
  endsAt = performance.now() + AFTER_MS_MAX;
  await Promise.all(underWay);
  return { posted, accepted, retries, slowestMs: Math.round(slowestMs), refusedWith };
}

/** One attempt on a connection of its own; status 0 where there was no answer. */
async function attempt(
  options: WitnessOptions,
  n: number,
): Promise<{ status: number; retryAfterMs: number }> {
  const { request } = options.tls ? https : http;
  const sent = request({
    ...requestOptions(options, LOCAL_ADDRESS),
    method: 'POST',
    path: `/event?__name__=${LEGITIMATE}&row=${options.row}&n=${n}`,
    headers: { 'Idempotency-Key': `${options.row}-${n}`, 'Content-Length': 0 },
    agent: false,
  });
  const timer = later(() => sent.destroy(new Error('no answer')), ATTEMPT_MS_MAX);
  sent.end();
  try {
    const [answer] = (await once(sent, 'response')) as [http.IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    const seconds = Number(answer.headers['retry-after']);
    return { status: answer.statusCode ?? 0, retryAfterMs: seconds > 0 ? seconds * 1000 : RETRY_AFTER_MS };
  } catch {
    return { status: 0, retryAfterMs: RETRY_AFTER_MS };
  } finally {
    clearTimeout(timer);
  }
}
