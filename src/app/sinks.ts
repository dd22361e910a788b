import { randomInt } from 'node:crypto';
import type { SinkIdentity } from '../delivery/scrapers.ts';
import type { SinkStatus } from '../delivery/overview.ts';
import type { SinkOptions } from '../sinks/options.ts';
import type { Sink, SinkParts } from '../sinks/sink.ts';
import type { SinkState } from '../sinks/sinkState.ts';

const RANDOM_STEPS = 2 ** 32;

/** The sinks that are configured. What they need is loaded at the start, if there are any. */
export class Sinks {
  readonly #options: readonly SinkOptions[];
  readonly #parts: Omit<SinkParts, 'random'>;
  #sinks: readonly Sink[] = [];

  constructor(options: readonly SinkOptions[], parts: Omit<SinkParts, 'random'>) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Makes them, and tells who they are. */
  async load(): Promise<readonly SinkIdentity[]> {
    if (this.#options.length === 0) return [];
    const { Sink } = await import('../sinks/sink.ts');
    const random = () => randomInt(RANDOM_STEPS) / RANDOM_STEPS;
    this.#sinks = this.#options.map((options) => new Sink(options, { ...this.#parts, random }));
    return this.#sinks.map(({ identity }) => identity);
  }

  /** They begin; `onCommitted` tells of what is new. */
  start(onCommitted: (listener: () => void) => void): void {
    if (this.#sinks.length === 0) return;
    for (const sink of this.#sinks) sink.start();
    onCommitted(() => {
      for (const sink of this.#sinks) sink.wake();
    });
  }

  /** As `Sink.stop`. */
  async stop(ms: number): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.stop(ms)));
  }

  states(): readonly SinkState[] {
    return this.#sinks.map(({ state }) => state);
  }

  /** How the sink of an id is doing; undefined for one that is not configured. */
  statusOf(id: string): SinkStatus | undefined {
    return this.#sinks.find(({ identity }) => identity.id === id)?.state.status;
  }
}
