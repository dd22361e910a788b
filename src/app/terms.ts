import type { Leading } from '../http/healthRoutes.ts';
import { UnavailableError } from '../core/errors.ts';
import { OwnershipLostError } from '../log/log.ts';
import type { Term } from './term.ts';

/** Pause before a log is opened again that went away while it was read, in ms. */
const AGAIN_MS = 500;
/** How often it is looked whether the lease has ended, in ms: what is still being sent then is cut. */
const LOOK_EVERY_MS = 100;

const OPENING = 'the log is not open yet';
const STANDBY =
  'another server leads; ask that one: /-/leader answers 200 there, and events_to_metrics_leader is 1';
const LAPSED =
  'this server leads no longer, or has not heard from the database for replicas.lease; ask again, or ask the server whose /-/leader answers 200';

export interface TermsNews {
  leads(): void;
  standsBy(): void;
  lostLead(why: Error): void;
}

export interface TermsParts {
  readonly make: () => Term;
  readonly news: TermsNews;
  /** Hears that another term follows, which has not begun. */
  readonly changed: () => void;
  /** Hears that this one gives nothing any more, for now or for ever. */
  readonly lapsed: () => void;
}

/**
 * The terms in which this server leads, one after the other. Of several servers that share a log one leads; a server with a log of its own has
 * one term, which begins with its start. Each is built anew: what is left running of an earlier one can do nothing to it.
 */
export class Terms implements AsyncDisposable {
  readonly #parts: TermsParts;
  readonly #broken = Promise.withResolvers<Error>();
  #current: Term;
  #state: 'opening' | 'standby' | 'leading' | 'stopped' = 'opening';
  #wasOwned = false;
  #look: NodeJS.Timeout | undefined;
  readonly #stopped = Promise.withResolvers<Error>();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: TermsParts) {
    this.#parts = parts;
    this.#current = parts.make();
  }

  /** The one that leads, or will. */
  get current(): Term {
    return this.#current;
  }

  get leads(): boolean {
    return this.#state === 'leading' && this.#current.isOwned;
  }

  /** Whether it led last, and can't tell whether another leads by now. */
  get isLapsed(): boolean {
    return this.#state === 'leading' && !this.#current.isOwned;
  }

  get leading(): Leading {
    if (this.leads) return { leads: true };
    const why = { opening: OPENING, standby: STANDBY, leading: LAPSED, stopped: LAPSED }[this.#state];
    return { leads: false, why };
  }

  /** Resolves with why the server can't go on, if that is so. */
  get broken(): Promise<Error> {
    return this.#broken.promise;
  }

  /** Resolves once it leads or stands by. Throws a LogOpenError. `port`: where this server listens. */
  async start(port: number): Promise<void> {
    const begun = Promise.withResolvers<void>();
    this.#look = setInterval(() => this.#lookAtLease(), LOOK_EVERY_MS).unref();
    let hasBegun = false;
    const begin = () => {
      hasBegun = true;
      begun.resolve();
    };
    this.#running = this.#run(port, begin).catch((error: unknown) => {
      if (this.#state === 'stopped') return;
      // Who starts it hears of the first, and whoever runs it of the others.
      begun.reject(error);
      if (hasBegun) this.#broken.resolve(error as Error);
    });
    await begun.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { leads } = this;
    this.#state = 'stopped';
    clearInterval(this.#look);
    this.#stopped.resolve(new Error('the server stopped'));
    if (leads || this.#current.log.isOwned === undefined) await this.#current[Symbol.asyncDispose]();
    else await this.#current.log[Symbol.asyncDispose]();
    await this.#running;
  }

  async #run(port: number, begun: () => void): Promise<void> {
    const { make, news, changed, lapsed } = this.#parts;
    for (;;) {
      const why = await this.#lead(port, begun);
      if (this.#isStopped) return;
      if (!(why instanceof OwnershipLostError || why instanceof UnavailableError)) {
        this.#broken.resolve(why);
        return;
      }
      lapsed();
      news.lostLead(why);
      this.#state = 'standby';
      const before = this.#current;
      this.#current = make();
      changed();
      await before.abandon();
      if (why instanceof UnavailableError) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /** Leads once it may. Resolves with why it leads no longer. */
  async #lead(port: number, begun: () => void): Promise<Error> {
    const { news } = this.#parts;
    const term = this.#current;
    const { log } = term;
    const lost = new Promise<Error>((resolve) => log.onBroken(resolve));
    log.onStandby?.(() => {
      if (this.#state === 'stopped') return;
      this.#state = 'standby';
      news.standsBy();
      begun();
    });
    try {
      const ended = await Promise.race([term.start(port), lost]);
      if (ended instanceof Error) return ended;
    } catch (error) {
      // The database went away while the log was read.
      if (error instanceof UnavailableError && log.onStandby !== undefined) return error;
      throw error;
    }
    if (this.#state !== 'stopped') this.#state = 'leading';
    if (log.onStandby !== undefined) news.leads();
    begun();
    return Promise.race([lost, this.#stopped.promise]);
  }

  get #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #lookAtLease(): void {
    const { leads } = this;
    if (this.#wasOwned && !leads) this.#parts.lapsed();
    this.#wasOwned = leads;
  }
}
