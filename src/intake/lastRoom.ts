import { BoundedMap } from '../core/boundedMap.ts';
import type { Share } from '../core/memory.ts';
import type { Millis } from '../core/millis.ts';

/** This part of the memory for series is kept for clients that took little of it lately, … */
const KEPT_SHARE = 0.1;
/** … which is at most this part of it. */
const LITTLE_SHARE = 0.01;
/** From here on it is counted who takes it. What was taken before has long been more than little, if it was one client. */
const COUNTED_SHARE = 0.5;
/** One more pushes out the one that took something longest ago, which then has taken nothing. */
const CLIENTS_MAX = 10_000;

/** Whoever sends events. */
export interface Sender {
  /** The address that it is known by; asked for only where it matters. */
  readonly client: string;
}

const NOBODY: Sender = { client: '' };

/**
 * The last of the memory for series. Series whose pulses are open can't be forgotten, so one client that makes ever new ones would take
 * all of it, and every other client's new series were refused until pulses end. The last part is therefore for those who took little.
 */
export class LastRoom {
  readonly #memory: Share;
  /** For so long what is taken is held, in ms. */
  readonly #heldMs: number;
  /** What each client took since `#since`, in bytes, and in as long a time before that. */
  #taken = new BoundedMap<string, number>(CLIENTS_MAX);
  #takenBefore = new BoundedMap<string, number>(CLIENTS_MAX);
  #since = 0;

  constructor(memory: Share, heldMs: number) {
    this.#memory = memory;
    this.#heldMs = heldMs;
  }

  /** Whether a client may take so many bytes, after so many that aren't told yet. */
  has(bytes: number, untold: number, sender = NOBODY): boolean {
    const { room, bytesMax } = this.#memory;
    if (bytes <= room - bytesMax * KEPT_SHARE) return true;
    if (bytes > room) return false;
    const { client } = sender;
    const taken = (this.#taken.get(client) ?? 0) + (this.#takenBefore.get(client) ?? 0);
    return taken + untold + bytes <= bytesMax * LITTLE_SHARE;
  }

  /** Tells what a client took. `now` never turns back. */
  took(bytes: number, now: Millis, sender = NOBODY): void {
    const { held, bytesMax } = this.#memory;
    if (bytes === 0 || held < bytesMax * COUNTED_SHARE) return;
    if (now - this.#since >= this.#heldMs) {
      [this.#taken, this.#takenBefore] = [new BoundedMap(CLIENTS_MAX), this.#taken];
      this.#since = now;
    }
    const { client } = sender;
    this.#taken.set(client, (this.#taken.get(client) ?? 0) + bytes);
  }
}
