import { setImmediate } from 'node:timers';

/** Work that nobody waits for begins when the event loop had next to nothing to do for so long, in ms. */
const QUIET_MS = 100;
/** So much of that time it may have worked. */
const WORKED_SHARE_MAX = 0.25;

/** What is seen of the event loop. */
export interface LoopMeter {
  /** Which share of its time it has worked since the last call: from 0 to 1. */
  worked(): number;
  /** How many events it has had from outside: something to be read or written, the end of something that was done in another thread. */
  events(): number;
}

/**
 * Does work that nobody waits for, a step at a time, while the event loop has nothing else to do. Between two steps the loop has a turn, in
 * which it takes up all that came meanwhile. With the first event in it, the loop must be quiet anew: what came with it may take several
 * turns. So a request waits for one step at most, and under load nothing is done.
 */
export class QuietTurns {
  readonly #step: () => boolean;
  readonly #meter: LoopMeter;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #isStopped = true;

  /** `step` does some work, in a few ms, and tells whether there was any. */
  constructor(step: () => boolean, meter: LoopMeter = loopMeter()) {
    this.#step = step;
    this.#meter = meter;
  }

  /** Begins to look for work; does nothing where it has begun. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#watch();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }

  #watch(): void {
    this.#meter.worked();
    this.#timer = setTimeout(() => {
      if (this.#meter.worked() <= WORKED_SHARE_MAX) this.#work();
      else this.#watch();
    }, QUIET_MS).unref();
  }

  #work(): void {
    const events = this.#meter.events();
    const hasWorked = this.#step();
    if (this.#isStopped) return;
    if (!hasWorked) {
      this.#watch();
      return;
    }
    this.#turn = setImmediate(() => {
      if (this.#meter.events() === events) this.#work();
      else this.#watch();
    });
  }
}

/** Events as libuv counts them: https://docs.libuv.org/en/v1.x/metrics.html */
function loopMeter(): LoopMeter {
  let before = performance.eventLoopUtilization();
  return {
    worked: () => {
      const { utilization } = performance.eventLoopUtilization(before);
      before = performance.eventLoopUtilization();
      return utilization;
    },
    events: () => performance.nodeTiming.uvMetricsInfo.events,
  };
}
