import type { Writable } from 'node:stream';

/** How much may wait for a reader that stalls, in characters: thousands of log lines. What comes then is lost. */
export const WAITING_CHARACTERS_MAX = 1024 * 1024;

/**
 * Standard output or error of a process that goes on whatever becomes of them: the disk below a log file fills up, whoever read the pipe is
 * gone, or reads no more. What can't be written is lost, and counted; what comes once there is room again is written.
 */
export class LastingOutput {
  readonly #stream: Pick<Writable, 'write' | 'writableLength'>;
  readonly isTTY: boolean;
  #lost = 0;

  constructor(
    stream: Pick<Writable, 'write' | 'writableLength' | 'on'> & { readonly isTTY?: boolean | undefined },
  ) {
    this.#stream = stream;
    this.isTTY = stream.isTTY === true;
    // Each write is told of its own failure; without a listener the process would end with it.
    stream.on('error', () => undefined);
  }

  /** How many writes came to nothing. */
  get lost(): number {
    return this.#lost;
  }

  write(text: string): void {
    if (this.#stream.writableLength >= WAITING_CHARACTERS_MAX) {
      this.#lost += 1;
      return;
    }
    this.#stream.write(text, (error) => {
      if (error !== null && error !== undefined) this.#lost += 1;
    });
  }
}
