import type { ZlibOptions } from 'node:zlib';
import { createGunzip } from 'node:zlib';

/** What comes out in one piece. Smaller buffers would be cut out of one that several bodies share, and that stays while one of them does. */
export const PIECE_BYTES = 32 * 1024;
/** What a decompressor takes for itself: its state and window (45 KiB), the piece that it fills, and one that waits to be read. */
export const GUNZIP_BYTES = 112 * 1024;

/** A decompressor that gives out what it makes of each chunk before it takes the next. */
export class Gunzip {
  readonly #stream = createGunzip({ chunkSize: PIECE_BYTES, highWaterMark: PIECE_BYTES } as ZlibOptions);
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor() {
    this.#stream.on('error', (error) => {
      this.#error = error;
      this.#wake();
    });
    this.#stream.on('readable', () => this.#wake());
  }

  get bytesWritten(): number {
    return this.#stream.bytesWritten;
  }

  /** Throws an error of zlib's. */
  write(chunk: Buffer): AsyncGenerator<Buffer> {
    return this.#made((done) => this.#stream.write(chunk, done));
  }

  /** Throws an error of zlib's: where the stream ends too early, too. */
  end(): AsyncGenerator<Buffer> {
    // 'finish' comes before the last of it is there, and before zlib looks whether all is.
    return this.#made((done) => this.#stream.once('end', done).end());
  }

  destroy(): void {
    this.#stream.destroy();
  }

  async *#made(work: (done: (error?: Error | null) => void) => void): AsyncGenerator<Buffer> {
    let isDone = false;
    work((error) => {
      this.#error ??= error ?? undefined;
      isDone = true;
      this.#wake();
    });
    for (;;) {
      const piece = this.#stream.read() as Buffer | null;
      if (piece !== null) yield piece;
      else if (this.#error !== undefined) throw this.#error;
      else if (isDone) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
