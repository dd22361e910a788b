import type { NewEvent, SealedEvent } from './event.ts';
import type { Platform } from './platform.ts';
import { PushError } from './pushError.ts';

export interface QueueOptions {
  /** How many events wait at most. 1,000 without it. */
  readonly eventsMax?: number | undefined;
  /** How long to rest when the server could not be reached for all of an event's attempts, in ms. 5,000 without it. */
  readonly pauseMs?: number | undefined;
  /** Told of an event that the server refused, which is then given up. */
  readonly onRefused?: ((event: SealedEvent, error: PushError) => void) | undefined;
  /** Told when the queue must rest; its events are kept. */
  readonly onPause?: ((error: PushError) => void) | undefined;
}

/** What sends for the queue: the client. */
export interface Sender {
  seal(event: NewEvent): SealedEvent;
  send(event: SealedEvent, options: { signal: AbortSignal }): Promise<unknown>;
}

/**
 * Events on their way, sent in the background in the order in which they came, one at a time: two events of one series never overtake
 * each other. In memory only: what is in it when the process ends is lost, unless `close` is waited for.
 */
export class EventQueue {
  readonly #sender: Sender;
  readonly #platform: Pick<Platform, 'sleep'>;
  readonly #options: QueueOptions;
  readonly #waiting: SealedEvent[] = [];
  readonly #ending = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(sender: Sender, platform: Pick<Platform, 'sleep'>, options: QueueOptions) {
    this.#sender = sender;
    this.#platform = platform;
    this.#options = options;
  }

  /** How many events wait, the one under way among them. */
  get size(): number {
    return this.#waiting.length;
  }

  /**
   * Takes an event with its id and its time, and returns at once. False where the queue is full or closed: nothing was taken.
   * Throws a PushError (`invalid`).
   */
  add(event: NewEvent): boolean {
    const sealed = this.#sender.seal(event);
    if (this.#ending.signal.aborted || this.#waiting.length >= (this.#options.eventsMax ?? 1_000))
      return false;
    this.#waiting.push(sealed);
    this.#sending ??= this.#send();
    return true;
  }

  /** Resolves once nothing waits any more, or the queue is closed. */
  async flush(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  /** Takes no more events, and waits `waitMs` at most for those it has. Resolves with what was not sent, to be kept or told of. */
  async close(waitMs = 5_000): Promise<readonly SealedEvent[]> {
    const enough = new AbortController();
    const waited = this.#platform.sleep(waitMs, enough.signal).catch(() => undefined);
    await Promise.race([this.flush(), waited]);
    enough.abort();
    this.#ending.abort(new Error('the queue is closed'));
    await this.flush();
    return this.#waiting.splice(0);
  }

  async #send(): Promise<void> {
    const { signal } = this.#ending;
    for (let event = this.#waiting[0]; event !== undefined && !signal.aborted; event = this.#waiting[0]) {
      try {
        await this.#sender.send(event, { signal });
        this.#waiting.shift();
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof PushError)) throw error;
        if (error.reason === 'refused') {
          this.#waiting.shift();
          this.#options.onRefused?.(event, error);
          continue;
        }
        this.#options.onPause?.(error);
        await this.#platform.sleep(this.#options.pauseMs ?? 5_000, signal).catch(() => undefined);
      }
    }
    this.#sending = undefined;
  }
}
