import { UnavailableError } from '../core/errors.ts';

/** Hears that there was no room on the disk for what had to be written; it will be tried again. */
export type Postponed = (error: UnavailableError) => void;

/** Does what must be done from time to time: one step after the other, and never twice at once. */
export class Housekeeping {
  readonly #steps: readonly (() => Promise<void>)[];
  readonly #postponed: Postponed;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(steps: readonly (() => Promise<void>)[], postponed: Postponed) {
    this.#steps = steps;
    this.#postponed = postponed;
  }

  /** Begins, and goes on every so many milliseconds. A failure that is not for want of room is a programmer's error, and ends the process. */
  start(everyMs: number): void {
    this.#timer = setInterval(() => {
      if (this.#running !== undefined) return;
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
      });
    }, everyMs);
    this.#timer.unref();
  }

  /** Ends; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    for (const step of this.#steps) {
      try {
        await step();
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        this.#postponed(error);
      }
    }
  }
}
