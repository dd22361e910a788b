import { randomInt } from 'node:crypto';
import { ConfigError } from '../config/error.ts';
import type { ConfiguredSink } from '../delivery/scrapers.ts';
import type { Select } from '../delivery/select.ts';
import type { SinkStatus } from '../delivery/overview.ts';
import type { SinkOptions } from '../sinks/options.ts';
import { SelectorError } from '../sinks/selector.ts';
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
  async load(): Promise<readonly ConfiguredSink[]> {
    if (this.#options.length === 0) return [];
    const { Sink } = await import('../sinks/sink.ts');
    const random = () => randomInt(RANDOM_STEPS) / RANDOM_STEPS;
    this.#sinks = this.#options.map((options) => new Sink(options, { ...this.#parts, random }));
    const selects = await Promise.all(this.#options.map(selectOf));
    return this.#sinks.map(({ identity }, index) => ({ identity, select: selects[index] }));
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

/** What a sink selects; undefined for everything. Throws a ConfigError for a regular expression that can't be used. */
export async function selectOf({ name, select }: SinkOptions): Promise<Select | undefined> {
  if (select === undefined) return undefined;
  const { compileSelect } = await import('../sinks/select.ts');
  try {
    return await compileSelect(select);
  } catch (cause) {
    if (!(cause instanceof SelectorError)) throw cause;
    throw new ConfigError(`sinks.${name}.select${cause.message}`, { cause });
  }
}
