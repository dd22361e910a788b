import { setImmediate } from 'node:timers/promises';
import type { Share } from '../core/memory.ts';
import type { Clock, Millis, Monotonic } from '../core/millis.ts';
import type { Label } from '../core/series.ts';
import type { Family } from '../render/families.ts';
import { judgeAnswer } from './answer.ts';
import type { OwnMetricsOptions, SinkOptions } from './options.ts';
import { Pauses } from './pauses.ts';
import { Receiver } from './receiver.ts';
import type { SinkState } from './sinkState.ts';
import { snappy } from './snappy.ts';
import { writeRequest } from './writeRequest.ts';

export interface OwnPushParts {
  readonly ownMetrics: () => readonly Family[];
  readonly memory: Share;
  readonly clock: Clock;
  readonly elapsed: Monotonic;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly agent: string;
  /** What tells this server from others: the value of the label `instance`. */
  readonly instance: string;
}

const JOB = 'oneShotMetricsServer';

/**
 * Sends the server's own metrics to a receiver, as they are at regular times, beside the events. Nothing of them is kept: where one sending fails, the next
 * has newer ones.
 */
export class OwnPush {
  readonly #options: SinkOptions;
  readonly #intervalMs: number;
  readonly #labels: readonly Label[];
  readonly #parts: OwnPushParts;
  readonly #state: SinkState;
  readonly #receiver: Receiver;
  readonly #pauses = new Pauses();
  #running: Promise<void> = Promise.resolve();

  constructor(options: SinkOptions, own: OwnMetricsOptions, state: SinkState, parts: OwnPushParts) {
    this.#options = options;
    this.#intervalMs = own.intervalMs;
    const labels = { job: JOB, instance: parts.instance, ...options.labels, ...own.labels };
    this.#labels = Object.entries(labels).map(([name, value]) => ({ name, value }));
    this.#parts = parts;
    this.#state = state;
    this.#receiver = new Receiver(options, parts.agent, parts.clock);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#pauses.end();
    this.#receiver.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { elapsed, random } = this.#parts;
    // Not all servers that were started together at the same time.
    let next = elapsed() + random() * this.#intervalMs;
    for (;;) {
      await this.#pauses.wait(next - elapsed());
      if (this.#pauses.isOver) return;
      const why = await this.#send();
      // What is cut by the stop says nothing of the receiver.
      if (this.#pauses.isOver) return;
      this.#state.ownSent(why);
      // What took longer than the interval is not made up for.
      next = Math.max(next + this.#intervalMs, elapsed());
    }
  }

  /** Sends all of them as they are now. Resolves with why they weren't stored, if so: what is left then isn't sent. */
  async #send(): Promise<string | undefined> {
    const { ownMetrics, clock } = this.#parts;
    const time = clock();
    for (const families of batches(ownMetrics(), this.#options.eventsMax)) {
      const why = await this.#sendSome(families, time);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  async #sendSome(families: readonly Family[], time: Millis): Promise<string | undefined> {
    const { version } = this.#state;
    const { memory } = this.#parts;
    const request = writeRequest(version, this.#labels);
    for (const _ of request.addFamilies(families, time)) await setImmediate();
    using held = memory.claim();
    const body = snappy(request.finish());
    held.resize(body.length);
    const answer = await this.#receiver.send(body, version);
    if (answer.kind === 'answered' && answer.written !== undefined) this.#state.isProven = true;
    const mayFallBack = this.#options.protocol === 'auto';
    const { samples } = request;
    const judgement = judgeAnswer(answer, { version, samples, mayFallBack, isProven: this.#state.isProven });
    switch (judgement.kind) {
      case 'stored':
        return undefined;
      case 'older':
        this.#state.fellBack();
        return this.#sendSome(families, time);
      case 'refused': {
        const { written, why } = judgement;
        return `refused ${written === undefined ? '' : `${samples - written} of ${samples} samples `}with ${why}`;
      }
      case 'notNow':
        return judgement.why;
      default:
        return judgement satisfies never;
    }
  }
}

/** Families in parts of so many samples at most. */
function* batches(families: readonly Family[], samplesMax: number): Generator<readonly Family[], void> {
  let batch: Family[] = [];
  let count = 0;
  for (const family of families) {
    for (let from = 0; from < family.samples.length;) {
      const samples = family.samples.slice(from, from + samplesMax - count);
      batch.push({ ...family, samples });
      count += samples.length;
      from += samples.length;
      if (count < samplesMax) continue;
      yield batch;
      batch = [];
      count = 0;
    }
  }
  if (count > 0) yield batch;
}
