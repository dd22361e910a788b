import { UnavailableError } from '../core/errors.ts';
import type { InboxEnd } from '../log/inbox.ts';
import type { Acceptor } from './accept.ts';
import type { IdRefresher } from './refreshIds.ts';

/** How often the leader looks into the inbox, in ms. */
const LOOK_EVERY_MS = 50;
/** Pause where the log is away or has no room, in ms. */
const AWAY_MS = 500;

/** Moves what other servers have put into the inbox into the log, for as long as this one leads. */
export class Mover {
  readonly #inbox: InboxEnd;
  readonly #acceptor: Acceptor;
  readonly #refresher: IdRefresher;
  #running: Promise<void> = Promise.resolve();
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(inbox: InboxEnd, acceptor: Acceptor, refresher: IdRefresher) {
    this.#inbox = inbox;
    this.#acceptor = acceptor;
    this.#refresher = refresher;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves once nothing is under way. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        if (!(await this.#move())) await this.#pause(LOOK_EVERY_MS);
      } catch (error) {
        // Of another leader, too: this one is about to be stopped.
        if (!(error instanceof UnavailableError)) throw error;
        await this.#pause(AWAY_MS);
      }
    }
  }

  /** Whether there was something. */
  async #move(): Promise<boolean> {
    const posts = await this.#inbox.readInbox();
    if (posts.length === 0) return false;
    await this.#refresher.refresh(posts.flatMap(({ refresh }) => refresh));
    await this.#acceptor.takeOver(posts, this.#inbox);
    return true;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isOver) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
