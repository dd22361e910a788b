import { Connection } from './connection.ts';
import type { PostgresPlace } from './place.ts';

/** Reads at once: one that takes long must not keep a scrape waiting. */
const READERS_MAX = 4;

/** Connections for reads, made when they are needed. */
export class Readers {
  readonly #place: PostgresPlace;
  readonly #free: Connection[] = [];
  readonly #waiting: ((connection: Connection | undefined) => void)[] = [];
  #open = 0;
  #isClosed = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(place: PostgresPlace) {
    this.#place = place;
  }

  /** Reads through a connection, and once more where that turned out to be broken. */
  async read<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    let connection = await this.#take();
    try {
      try {
        return await work(connection);
      } catch (error) {
        if (!connection.isBroken || this.#isClosed) throw error;
        connection = await Connection.open(this.#place);
        return await work(connection);
      }
    } finally {
      this.#give(connection);
    }
  }

  /** Waits for the reads that are under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#open > this.#free.length) {
      this.#idle = Promise.withResolvers();
      await this.#idle.promise;
    }
    for (const connection of this.#free.splice(0)) connection.close();
  }

  async #take(): Promise<Connection> {
    if (this.#isClosed) throw new Error('the log is not open');
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (!free.isBroken) return free;
      this.#open -= 1;
    }
    if (this.#open >= READERS_MAX) {
      const given = await new Promise<Connection | undefined>((resolve) => this.#waiting.push(resolve));
      if (given !== undefined) return given;
      return this.#make();
    }
    this.#open += 1;
    return this.#make();
  }

  /** In a place that is counted already. */
  async #make(): Promise<Connection> {
    try {
      return await Connection.open(this.#place);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #give(connection: Connection): void {
    if (connection.isBroken) {
      this.#leave();
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(connection);
    else next(connection);
    this.#tellIdle();
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#open -= 1;
    else next(undefined);
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#open === this.#free.length) this.#idle?.resolve();
  }
}
