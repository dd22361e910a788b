import { TooLargeError, UnavailableError } from './errors.ts';

/**
 * What may hold memory that strangers can fill:
 *
 * - `log`: a log that is kept in memory
 * - `tail`: the newest entries
 * - `rendered`: what is rendered of them, for the next scraper
 * - `series`: the latest time and the open pulse of each series
 * - `bodies`: requests, from their first byte until they are answered, with what they inflate to
 * - `answers`: answers, from when they are made until they have left
 */
export const HOLDERS = ['log', 'tail', 'rendered', 'series', 'bodies', 'answers'] as const;
export type Holder = (typeof HOLDERS)[number];

/** What a text takes beside its units, in bytes: V8's head of it, and its place in whatever holds it. */
const TEXT_BYTES = 32;

/**
 * What a text takes in memory at most, in bytes. V8 keeps a text in one byte for each UTF-16 unit or in two, and doesn't say in which: one
 * that was cut out of a text with a wide character stays wide, whatever is in it. So two are counted.
 */
export function textBytes(text: string): number {
  return TEXT_BYTES + text.length * 2;
}

/** What one holder may take of `memory.max`. A share is never lent: a flood of one kind leaves the others what is theirs. */
export class Share {
  readonly bytesMax: number;
  /** How often somebody was refused, or had to make do with less, since there was no room. */
  refused = 0;
  /** Asked where there is no room for one claim: makes somebody give back what he holds, and tells whether there was such a one. */
  makeRoom: (asker: Claim) => boolean = () => false;
  #held = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What is held now, in bytes. */
  get held(): number {
    return this.#held;
  }

  /** What may still be taken, in bytes; 0 or more. */
  get room(): number {
    return Math.max(0, this.bytesMax - this.#held);
  }

  /** Takes so many bytes, if there is room for them; tells whether there was. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.bytesMax) {
      this.refused += 1;
      return false;
    }
    this.#held += bytes;
    return true;
  }

  /** Takes them whether there is room or not, for what must go on: it was refused what it asked for before, or is small. */
  force(bytes: number): void {
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }

  /** Begins a claim that holds nothing yet. */
  claim(): Claim {
    return new Claim(this);
  }
}

/** What one request holds of a share; given back as a whole. */
export class Claim implements Disposable {
  /** Hears that more is taken. */
  progressed: () => void = () => undefined;
  readonly #share: Share;
  #held = 0;
  #isOver = false;

  constructor(share: Share) {
    this.#share = share;
  }

  get held(): number {
    return this.#held;
  }

  /**
   * Takes so many bytes more. Throws a TooLargeError where the request alone needs more than there is for all, and an UnavailableError
   * where others hold the rest. It gives back all that it holds then: of many that each need a large part, some get it, instead of none.
   */
  take(bytes: number): void {
    if (this.#isOver) return;
    this.progressed();
    if (this.#held + bytes > this.#share.bytesMax) throw tooLarge(this.#share.bytesMax);
    while (!this.#share.take(bytes)) {
      if (this.#share.makeRoom(this)) continue;
      this[Symbol.dispose]();
      throw memoryFull();
    }
    this.#held += bytes;
  }

  /** As `Share.force`. */
  force(bytes: number): void {
    if (this.#isOver) return;
    this.#share.force(bytes);
    this.#held += bytes;
  }

  /** Gives back so many of the bytes that it holds. */
  give(bytes: number): void {
    if (this.#isOver) return;
    this.#share.give(bytes);
    this.#held -= bytes;
  }

  /**
   * Takes a part of the room that is left, a quarter of it and at most `bytesMax`: whoever asks for much at once leaves something to those
   * who come with him. `reserved` of the room is not for him. Returns what it took.
   */
  takePart(bytesMax: number, reserved = 0): number {
    const room = Math.max(0, this.#share.room - reserved);
    const bytes = Math.min(bytesMax, Math.floor(room / 4));
    this.force(bytes);
    return bytes;
  }

  /** Holds so many bytes from now on, instead of what it held: what was known to be needed at most is known exactly. */
  resize(bytes: number): void {
    this.force(bytes - this.#held);
  }

  /** Gives all of it back; what is taken afterwards doesn't count. */
  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#share.give(this.#held);
    this.#held = 0;
  }
}

/** The shares of `memory.max`, one for each holder. */
export type Memory = Readonly<Record<Holder, Share>>;

/** Shares in thousandths of the whole, where the log is on disk. */
const ON_DISK = { log: 0, tail: 180, rendered: 120, series: 300, bodies: 270, answers: 130 } as const;
/** Where the log is in memory it takes the most, and its newest entries need no second place. */
const IN_MEMORY = { log: 400, tail: 80, rendered: 60, series: 180, bodies: 180, answers: 100 } as const;

/** Divides `bytesMax` into shares. `isLogInMemory`: whether the log takes one. */
export function divideMemory(bytesMax: number, isLogInMemory: boolean): Memory {
  const parts = isLogInMemory ? IN_MEMORY : ON_DISK;
  const shares = HOLDERS.map((holder) => [holder, new Share(Math.floor((bytesMax * parts[holder]) / 1000))]);
  return Object.fromEntries(shares) as Memory;
}

function tooLarge(bytesMax: number): TooLargeError {
  return new TooLargeError(
    'body',
    `the request needs more memory than the ${bytesMax} bytes that all requests together may use; send fewer events at a time, or raise memory.max`,
  );
}

/** The server can't hold more now. `why` names what takes the memory up. */
export function memoryFull(
  why = 'other requests use all the memory that memory.max leaves for requests',
): UnavailableError {
  return new UnavailableError('memory_full', `${why}; send it again later, or raise memory.max`, 2);
}
