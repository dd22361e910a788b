import type { Clock } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Ids } from '../log/ids.ts';
import type { Counts } from '../counting/counts.ts';

export interface IdLimits {
  /** How long an id is remembered, in ms. */
  readonly windowMs: number;
  /** How many ids are remembered; the oldest are forgotten first. */
  readonly idsMax: number;
}

/** Forgets ids: those whose window is over, and those beyond the limit, which are counted. */
export class IdForgetter {
  readonly #log: Ids;
  readonly #limits: IdLimits;
  readonly #clock: Clock;
  readonly #counts: Counts;

  constructor(log: Ids, limits: IdLimits, clock: Clock, counts: Counts) {
    this.#log = log;
    this.#limits = limits;
    this.#clock = clock;
    this.#counts = counts;
  }

  /** Throws an UnavailableError where the log has no room; it is tried again. */
  async run(): Promise<void> {
    const { windowMs, idsMax } = this.#limits;
    this.#counts.idsForgotten.ids_max += await this.#log.forgetIds(millis(this.#clock() - windowMs), idsMax);
  }
}
