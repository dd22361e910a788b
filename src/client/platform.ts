/** What the client needs of the runtime that it stands in. Each part can be handed in; nothing else of the runtime is used. */
export interface Platform {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds from any moment on, which nobody can set: for how long a push is tried. */
  readonly elapsed: () => number;
  /** An id that nobody else has. */
  readonly randomId: () => string;
  /** From 0 up to and without 1; it spreads retries. */
  readonly random: () => number;
  /** Resolves after `ms`; rejects with the signal's reason when that comes first. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A number of 32 bits as a fraction. */
const UINT32_RANGE = 2 ** 32;

/**
 * The runtime's own clock, randomness, timers and `fetch`: a browser's, or those of Node 20 and newer. This is the only place of the client that
 * touches them. Node 18 has no `globalThis.crypto` unless it is asked to; there `randomId` and `random` must be handed in.
 */
export const RUNTIME: Platform = {
  fetch: (url, init) => globalThis.fetch(url, init),
  now: () => Date.now(),
  elapsed: () => globalThis.performance.now(),
  // Not crypto.randomUUID(): a browser has that on https only.
  randomId: () => uuid(randomBytes(16)),
  random: () => new DataView(randomBytes(4).buffer).getUint32(0) / UINT32_RANGE,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  // The types say that it is always there; Node 18 says otherwise.
  const crypto = globalThis.crypto as typeof globalThis.crypto | undefined;
  if (crypto === undefined) {
    throw new Error(
      'this runtime has no globalThis.crypto; pass `randomId` and `random` when you create the client',
    );
  }
  return crypto.getRandomValues(new Uint8Array(count));
}

/** A version 4 UUID of 16 random bytes: https://www.rfc-editor.org/rfc/rfc9562#section-5.4 */
function uuid(bytes: Uint8Array): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
