import type { Mode } from '../core/position.ts';

/** How a scrape came, as far as the settling has no use for it: what `/api/v1/scrapers` tells, and what warnings rest on. */
export interface Sighting {
  /** In ms of monotonic time. */
  readonly askedAt: number;
  readonly mode: Mode;
  /** The format's name, for people. */
  readonly format: string;
  /** Whether the format can show the end of a pulse. */
  readonly showsEnds: boolean;
  /** Unique to the connection within the life of the server. */
  readonly connection: number;
  /** Whether an HTTP proxy says that it stands between: then proof is the proxy's, not the scraper's. */
  readonly throughProxy: boolean;
  /** Whether it named itself by a variable that nobody has replaced. */
  readonly isVariable: boolean;
}

/** What may be wrong with a scraper. */
export type Warning = 'shared_id' | 'http_proxy' | 'unexpanded_id';

/** What was seen of one scraper since the start. */
export interface Seen {
  readonly latest: Sighting;
  /** Between scrapes, the median of the latest, in ms; undefined before the second. */
  readonly intervalMs: number | undefined;
  readonly warnings: ReadonlySet<Warning>;
}

const GAPS_KEPT = 8;
const CONNECTIONS_KEPT = 4;

interface State {
  latest: Sighting;
  readonly gaps: number[];
  /** The latest connections, newest last. */
  connections: number[];
  readonly warnings: Set<Warning>;
}

/** Remembers how each known scraper came. In memory only: it is of now, and a restart asks anew. */
export class Sightings {
  readonly #states = new Map<string, State>();
  readonly #warned: (id: string, warning: Warning) => void;

  /** `warned` hears of each warning once for each scraper. */
  constructor(warned: (id: string, warning: Warning) => void) {
    this.#warned = warned;
  }

  /** Whether somebody shows the ends of pulses: else nobody misses them in the log. */
  get endsShown(): boolean {
    for (const { latest } of this.#states.values()) if (latest.showsEnds) return true;
    return false;
  }

  note(id: string, sighting: Sighting): void {
    const state = this.#states.get(id);
    if (state === undefined) {
      const first = {
        latest: sighting,
        gaps: [],
        connections: [sighting.connection],
        warnings: new Set<Warning>(),
      };
      this.#states.set(id, first);
      this.#warnOf(id, first, sighting);
      return;
    }
    state.gaps.push(Math.round(sighting.askedAt - state.latest.askedAt));
    if (state.gaps.length > GAPS_KEPT) state.gaps.shift();
    state.latest = sighting;
    this.#warnOf(id, state, sighting);
    if (state.connections.at(-1) === sighting.connection) return;
    // Back on a connection that it had left for another: one scraper would not, but two under one id do all the time.
    if (state.connections.includes(sighting.connection)) this.#warn(id, state, 'shared_id');
    state.connections = [
      ...state.connections.filter((each) => each !== sighting.connection),
      sighting.connection,
    ].slice(-CONNECTIONS_KEPT);
  }

  of(id: string): Seen | undefined {
    const state = this.#states.get(id);
    if (state === undefined) return undefined;
    const sorted = state.gaps.toSorted((a, b) => a - b);
    return { latest: state.latest, intervalMs: sorted[sorted.length >> 1], warnings: state.warnings };
  }

  forget(id: string): void {
    this.#states.delete(id);
  }

  /** Of what one request shows by itself. */
  #warnOf(id: string, state: State, { throughProxy, isVariable }: Sighting): void {
    if (throughProxy) this.#warn(id, state, 'http_proxy');
    if (isVariable) this.#warn(id, state, 'unexpanded_id');
  }

  #warn(id: string, state: State, warning: Warning): void {
    if (state.warnings.has(warning)) return;
    state.warnings.add(warning);
    this.#warned(id, warning);
  }
}
