import type { LogState } from '../entryLog.ts';
import type { StoreListener } from '../log.ts';
import type { Connection } from './connection.ts';
import { messageOf } from './pgError.ts';
import { readWorth } from './worth.ts';

/** What is known of the database: whether it can be used, and what its commits survive. Tells of changes. */
export class StoreWatch {
  readonly #listeners: StoreListener[] = [];
  #awayAt: number | undefined;
  #worth: LogState['store'];

  get state(): LogState['store'] {
    return this.#worth && { ...this.#worth, isAway: this.#awayAt !== undefined };
  }

  listen(listener: StoreListener): void {
    this.#listeners.push(listener);
  }

  async readWorth(connection: Connection): Promise<void> {
    const before = this.#worth?.survives;
    const worth = await readWorth(connection);
    this.#worth = { ...worth, isAway: false };
    if (worth.survives !== before) this.#tell({ kind: 'worth', ...worth });
  }

  /** It can't be used. */
  away(why: unknown): void {
    if (this.#awayAt !== undefined) return;
    this.#awayAt = performance.now();
    this.#tell({ kind: 'away', why: messageOf(why) });
  }

  /** It can be used. */
  back(): void {
    if (this.#awayAt === undefined) return;
    this.#tell({ kind: 'back', afterMs: performance.now() - this.#awayAt });
    this.#awayAt = undefined;
  }

  #tell(news: Parameters<StoreListener>[0]): void {
    for (const listener of this.#listeners) listener(news);
  }
}
