import type { OneShotClient, Receipt, SealedEvent } from '../client/client.ts';
import type { Delivery } from '../client/delivery.ts';
import type { NewEvent } from '../client/event.ts';
import { PushError } from '../client/pushError.ts';
import type { Claim, Spool } from './spool/spool.ts';
import { BrokenItemError, SpoolError } from './spool/spool.ts';

/** What became of an event. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly receipt: Receipt }
  /** It is on disk, and will be sent later. */
  | { readonly kind: 'kept'; readonly error: PushError; readonly folder: string }
  /** It is nowhere. `spoolError` says why it was not kept, where it should have been. */
  | { readonly kind: 'lost'; readonly error: PushError; readonly spoolError: SpoolError | undefined };

/** What became of the events that waited. */
export interface Flushed {
  readonly sent: number;
  /** Moved aside, each with the reason. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
  /** Why it ended before all were sent. */
  readonly stopped: PushError | undefined;
}

/** Time for sending, in ms of a clock that is never set back. */
export interface Budget {
  readonly elapsed: () => number;
  readonly totalMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends events, and keeps on disk those that can't be sent, if there is a spool. An event is on disk before it is first sent: whatever happens to this
 * process, it is not lost. What waited longer goes first, so that events of one series arrive in the order of their times.
 */
export class Sending {
  readonly #client: Pick<OneShotClient, 'send'>;
  readonly #spool: Spool | undefined;
  readonly #onRefused: (refused: { id: string; reason: string }) => void;

  constructor(
    client: Pick<OneShotClient, 'send'>,
    spool: Spool | undefined,
    onRefused: (refused: { id: string; reason: string }) => void,
  ) {
    this.#client = client;
    this.#spool = spool;
    this.#onRefused = onRefused;
  }

  /** Sends an event within the budget, after those that wait already. */
  async send(event: SealedEvent, budget: Budget): Promise<Outcome> {
    if (this.#spool === undefined) return this.#direct(event, budget, undefined);
    let claim: Claim;
    try {
      claim = await this.#spool.keep(event);
    } catch (error) {
      if (!(error instanceof SpoolError)) throw error;
      return this.#direct(event, budget, error);
    }
    const timed = timer(budget);
    const { stopped } = await this.#flush(this.#spool, timed);
    const outcome = stopped ?? (await this.#send(event, timed));
    if (!(outcome instanceof PushError)) {
      await this.#spool.remove(claim);
      return { kind: 'accepted', receipt: outcome };
    }
    if (outcome.reason === 'refused') {
      await this.#spool.refuse(claim, outcome.message);
      return { kind: 'lost', error: outcome, spoolError: undefined };
    }
    await this.#spool.release(claim);
    return { kind: 'kept', error: outcome, folder: this.#spool.folder };
  }

  /** Sends what waits, oldest first, within the budget. */
  async flush(budget: Budget): Promise<Flushed> {
    return this.#spool === undefined
      ? { sent: 0, refused: [], stopped: undefined }
      : this.#flush(this.#spool, timer(budget));
  }

  async #flush(spool: Spool, timed: Timer): Promise<Flushed> {
    let sent = 0;
    const refused: { id: string; reason: string }[] = [];
    const setAside = async (claim: Claim, id: string, reason: string) => {
      await spool.refuse(claim, reason);
      refused.push({ id, reason });
      this.#onRefused({ id, reason });
    };
    for (const item of await spool.waiting()) {
      const claim = await spool.claim(item);
      if (claim === undefined) continue;
      let event: SealedEvent | undefined;
      try {
        event = await spool.read(claim);
      } catch (error) {
        if (!(error instanceof BrokenItemError)) throw error;
        await setAside(claim, item.waiting, error.message);
        continue;
      }
      if (event === undefined) continue;
      const outcome = await this.#send(event, timed);
      if (!(outcome instanceof PushError)) {
        await spool.remove(claim);
        sent += 1;
      } else if (outcome.reason === 'refused') {
        await setAside(claim, event.id, outcome.message);
      } else {
        await spool.release(claim);
        return { sent, refused, stopped: outcome };
      }
    }
    return { sent, refused, stopped: undefined };
  }

  async #direct(event: SealedEvent, budget: Budget, spoolError: SpoolError | undefined): Promise<Outcome> {
    const outcome = await this.#send(event, timer(budget));
    if (!(outcome instanceof PushError)) return { kind: 'accepted', receipt: outcome };
    return { kind: 'lost', error: outcome, spoolError };
  }

  async #send(event: SealedEvent, { left, signal }: Timer): Promise<Receipt | PushError> {
    const totalMs = left();
    if (totalMs <= 0 || isOver(signal)) {
      return new PushError('unavailable', 'the time ran out before it was sent');
    }
    try {
      return await this.#client.send(event, { totalMs, signal });
    } catch (error) {
      if (error instanceof PushError) return error;
      if (!isOver(signal)) throw error;
      return new PushError('unavailable', 'interrupted', { cause: error });
    }
  }
}

interface Timer {
  readonly left: () => number;
  readonly signal: AbortSignal | undefined;
}

function timer({ elapsed, totalMs, signal }: Budget): Timer {
  const end = elapsed() + totalMs;
  return { left: () => end - elapsed(), signal };
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

/** What posting needs: how an event is made, and by what way and in what time it goes. */
export interface Posting {
  readonly seal: (event: NewEvent) => SealedEvent;
  /** An event that is a JSON object, with labels to be added. */
  readonly sealJson: (json: string, labels: Readonly<Record<string, string>>) => SealedEvent;
  readonly sending: Sending;
  readonly budget: Budget;
  /** Waits until an event that the server has is delivered; absent where nobody waits. */
  readonly delivery: ((event: SealedEvent) => Promise<Delivery>) | undefined;
}
