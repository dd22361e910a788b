import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { ConfigError } from '../config/error.ts';
import type { Settings } from '../config/settings.ts';
import type { ConfiguredSink } from '../delivery/scrapers.ts';
import type { Select } from '../delivery/select.ts';
import type { SinkStatus } from '../delivery/overview.ts';
import type { FamilyGroup } from '../render/families.ts';
import type { SinkOptions } from '../sinks/options.ts';
import type { OwnPush, OwnPushParts } from '../sinks/ownPush.ts';
import { SelectorError } from '../sinks/selector.ts';
import type { Sink, SinkParts } from '../sinks/sink.ts';
import type { SinkState } from '../sinks/sinkState.ts';
import { sinkOptions } from './sinkOptions.ts';

interface Parts extends Omit<SinkParts & OwnPushParts, 'random' | 'agent' | 'instance' | 'ownMetrics'> {
  readonly version: string;
}

const RANDOM_STEPS = 2 ** 32;

/** The sinks that are configured. What they need is loaded at the start, if there are any. */
export class Sinks {
  readonly #options: readonly SinkOptions[];
  readonly #parts: Parts;
  readonly #ownMetrics: () => readonly FamilyGroup[];
  #sinks: readonly Sink[] = [];
  #own: readonly OwnPush[] = [];

  /** Throws a ConfigError. `ownMetrics`: those of the server, as they are when they are asked for. */
  constructor(settings: Settings, parts: Parts, ownMetrics: () => readonly FamilyGroup[]) {
    this.#options = sinkOptions(settings);
    this.#parts = parts;
    this.#ownMetrics = ownMetrics;
  }

  /** Makes them, and tells who they are. `port`: where this server listens. */
  async load(port: number): Promise<readonly ConfiguredSink[]> {
    if (this.#options.length === 0) return [];
    const [{ Sink }, { OwnPush }] = await Promise.all([
      import('../sinks/sink.ts'),
      import('../sinks/ownPush.ts'),
    ]);
    const parts = {
      ...this.#parts,
      random: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS,
      agent: `oneShotMetricsServer/${this.#parts.version}`,
      instance: `${hostname()}:${port}`,
      ownMetrics: () => this.#ownMetrics().flatMap(({ families }) => families),
    };
    this.#sinks = this.#options.map((options) => new Sink(options, parts));
    this.#own = this.#options.flatMap((options, index) => {
      const { ownMetrics } = options;
      const state = this.#sinks[index]?.state;
      if (ownMetrics === undefined || state === undefined) return [];
      return [new OwnPush(options, ownMetrics, state, parts)];
    });
    const selects = await Promise.all(this.#options.map(selectOf));
    return this.#sinks.map(({ identity }, index) => ({ identity, select: selects[index] }));
  }

  /** They begin; `onCommitted` tells of what is new. */
  start(onCommitted: (listener: () => void) => void): void {
    if (this.#sinks.length === 0) return;
    for (const each of [...this.#sinks, ...this.#own]) each.start();
    onCommitted(() => {
      for (const sink of this.#sinks) sink.wake();
    });
  }

  /** As `Sink.stop`. */
  async stop(ms: number): Promise<void> {
    await Promise.all([...this.#sinks.map((sink) => sink.stop(ms)), ...this.#own.map((own) => own.stop())]);
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
