import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How often Node looks how late the event loop is, in ms. */
const RESOLUTION_MS = 10;

const NS_PER_SECOND = 1e9;
const MS_PER_SECOND = 1e3;

/** How late the event loop was, in seconds. */
export interface Lag {
  /** How long a turn of it took, the last time that this was read. */
  readonly turn: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Watches how late the event loop is. */
export class EventLoopLag {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #turn = 0;

  constructor() {
    this.#delays.enable();
  }

  /** What was seen since it was read the last time. */
  read(): Lag {
    const began = performance.now();
    setImmediate(() => (this.#turn = (performance.now() - began) / MS_PER_SECOND));
    const delays = this.#delays;
    // Where nothing was seen yet, the smallest and the mean are no delays of anything.
    const seen = delays.count > 0;
    const lag = {
      turn: this.#turn,
      min: seen ? delays.min / NS_PER_SECOND : 0,
      max: delays.max / NS_PER_SECOND,
      mean: seen ? delays.mean / NS_PER_SECOND : 0,
      stddev: seen ? delays.stddev / NS_PER_SECOND : 0,
      p50: delays.percentile(50) / NS_PER_SECOND,
      p90: delays.percentile(90) / NS_PER_SECOND,
      p99: delays.percentile(99) / NS_PER_SECOND,
    };
    delays.reset();
    return lag;
  }
}
