import { AccessFileError } from './error.ts';
import type { ReadText } from './tlsState.ts';

/** What is worth a line in the server's log. */
export interface AccessNews {
  reloaded(file: string): void;
  /** A change is not taken; what was read before stays in force. */
  kept(file: string, error: Error): void;
}

/** What a file means. `read` gives the file's own text and that of the files that it names. */
export type LoadFile<T> = (read: ReadText) => Promise<T>;

/**
 * A file, with those that it names, that is read again when it changes. What can't be used does not replace what can.
 * They are small and few, so that each look reads them all: a time of change can't be trusted, for volumes swap links.
 */
export class ReloadingFile<T> {
  readonly path: string;
  readonly #load: LoadFile<T>;
  readonly #read: ReadText;
  readonly #news: AccessNews;
  readonly #mayFollow: (before: T, next: T) => void;
  readonly #listeners: (() => void)[] = [];
  #seen: ReadonlyMap<string, string> = new Map();
  #current: T | undefined;

  /** `mayFollow` throws an AccessFileError where a change can't be taken by a server that runs. */
  constructor(
    path: string,
    load: LoadFile<T>,
    read: ReadText,
    news: AccessNews,
    mayFollow: (before: T, next: T) => void = () => undefined,
  ) {
    this.path = path;
    this.#load = load;
    this.#read = read;
    this.#news = news;
    this.#mayFollow = mayFollow;
  }

  /** Reads it for the first time. Throws an AccessFileError. */
  async start(): Promise<void> {
    this.#current = await this.#loadNoting();
  }

  /** What was last read well. */
  get current(): T {
    if (this.#current === undefined) throw new Error(`${this.path} was never read`);
    return this.#current;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Looks whether anything has changed, and if so, reads it again. Tells the outcome once. */
  async check(): Promise<void> {
    if (!(await this.#changed())) return;
    try {
      const next = await this.#loadNoting();
      this.#mayFollow(this.current, next);
      this.#current = next;
      for (const listener of this.#listeners) listener();
      this.#news.reloaded(this.path);
    } catch (error) {
      if (!(error instanceof AccessFileError)) throw error;
      this.#news.kept(this.path, error);
    }
  }

  async #changed(): Promise<boolean> {
    for (const [path, text] of this.#seen) if ((await this.#textOrError(path)) !== text) return true;
    return false;
  }

  async #loadNoting(): Promise<T> {
    const seen = new Map<string, string>();
    this.#seen = seen;
    return this.#load(async (path) => {
      try {
        const text = await this.#read(path);
        seen.set(path, text);
        return text;
      } catch (error) {
        seen.set(path, failure(error));
        throw error;
      }
    });
  }

  async #textOrError(path: string): Promise<string> {
    try {
      return await this.#read(path);
    } catch (error) {
      return failure(error);
    }
  }
}

/** No text of a file begins with NUL. */
function failure(error: unknown): string {
  return `\0${String(error)}`;
}
