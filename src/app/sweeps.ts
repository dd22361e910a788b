import type { Server } from 'node:http';
import type { Connections } from '../http/connections.ts';
import type { Heads } from '../http/heads.ts';

/** How often connections are looked at for answers that make no progress, in ms. */
const SWEEP_EVERY_MS = 1_000;
/** How often heads that have not come whole are weighed, in ms: within it, what a fast client sends is not bounded. */
const WEIGH_EVERY_MS = 100;

/** What looks after connections while the server listens. */
export class Sweeps implements Disposable {
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(connections: Connections, heads: Heads, server: Server) {
    const readBefore: Connections['readBefore'] = (socket) => connections.readBefore(socket);
    this.#timers = [
      setInterval(() => connections.sweep(), SWEEP_EVERY_MS).unref(),
      setInterval(() => heads.weigh(server, readBefore), WEIGH_EVERY_MS).unref(),
    ];
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
