import type { Monotonic } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import type { Mode } from '../core/position.ts';
import type { Scrapes } from '../delivery/scrape.ts';
import type { Format } from '../render/negotiate.ts';
import type { Piece, Renderer } from '../render/render.ts';
import { wayOf } from '../render/render.ts';
import type { Compressor } from './compress.ts';
import { QuietTurns } from './quietTurns.ts';

/** In how many ways it is rendered ahead: as many are kept of each run. */
const WAYS_MAX = 2;
/** A way that nobody has asked for in so long is forgotten, in ms. Prometheus scrapes every few minutes at the slowest. */
const ASKED_MS_MAX = 10 * 60_000;

/** So many chunks are looked at in one step: a large tail has a hundred thousand. */
const LOOKS_MAX = 64;

/** How a scrape wants to have events. */
export interface Wanted {
  readonly format: Pick<Format, 'kind' | 'escaping'>;
  readonly mode: Mode;
  readonly without: readonly string[];
  readonly gzip: boolean;
}

interface Way extends Wanted {
  /** When it was last asked for, in ms of monotonic time. */
  readonly askedAt: number;
  /** Where what the one who asked last gets next begins. */
  readonly from: Offset;
  /** What lies up to here was looked at. */
  reached: Offset;
  /** Whether there was nothing more to do the last time; or no room, so that it rests until somebody asks again. */
  state: 'begun' | 'done' | 'full';
}

export interface RenderAheadParts {
  readonly scrapes: Pick<Scrapes, 'wholeBeyond' | 'showsAsItIs'>;
  readonly renderer: Pick<Renderer, 'ahead'>;
  readonly compressor: Pick<Compressor, 'ahead'>;
  readonly elapsed: Monotonic;
}

/**
 * Renders what scrapes will get, and compresses it, while the event loop has nothing else to do: chunks that take no more entries, in the
 * ways that scrapes asked for lately. The scrape then puts together what is there, as for one who comes after another.
 */
export class RenderAhead {
  readonly #parts: RenderAheadParts;
  /** Whoever was asked for last is last. */
  readonly #ways = new Map<string, Way>();
  readonly #quiet: QuietTurns;
  /** What is to be compressed next. */
  #pieces: Piece[] = [];

  constructor(parts: RenderAheadParts) {
    this.#parts = parts;
    this.#quiet = new QuietTurns(() => this.#stepSafely());
  }

  /** A scrape asked for events in some way; the next one of this scraper begins at `next`. */
  asked({ format, mode, without, gzip }: Wanted, next: Offset): void {
    const key = wayOf(format.kind, { escaping: format.escaping, timed: mode === 'timed', without });
    const known = this.#ways.get(key);
    this.#ways.delete(key);
    if (this.#ways.size === WAYS_MAX)
      for (const oldest of this.#ways.keys().take(1)) this.#ways.delete(oldest);
    // Where something is left to do, it was left for one who may lie further back.
    const left = known?.state === 'begun' ? known.reached : undefined;
    const reached = left === undefined || next < left ? next : left;
    const askedAt = this.#parts.elapsed();
    this.#ways.set(key, { format, mode, without, gzip, askedAt, from: next, reached, state: 'begun' });
    this.#quiet.start();
  }

  /** What can't be made is left to the scrape that asks for it, and is answered there. */
  #stepSafely(): boolean {
    try {
      return this.step();
    } catch {
      this.#ways.clear();
      this.#pieces = [];
      this.#quiet.stop();
      return false;
    }
  }

  /** Makes one chunk for one way, or compresses one piece of it. Tells whether there was something to do. */
  step(): boolean {
    const piece = this.#pieces.pop();
    if (piece !== undefined) {
      this.#parts.compressor.ahead(piece);
      return true;
    }
    const oldest = this.#parts.elapsed() - ASKED_MS_MAX;
    for (const [key, way] of this.#ways) {
      if (way.askedAt < oldest) this.#ways.delete(key);
      else if (way.state !== 'full' && this.#render(way)) return true;
    }
    if (this.#ways.size === 0) this.#quiet.stop();
    return false;
  }

  stop(): void {
    this.#quiet.stop();
  }

  /** Makes the next chunk of a way that lacks it, or goes past some that don't; tells whether there were any. */
  #render(way: Way): boolean {
    const { scrapes, renderer } = this.#parts;
    const { format, mode, without, gzip, from } = way;
    const shown = { escaping: format.escaping, timed: mode === 'timed', without };
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const run = scrapes.wholeBeyond(way.reached);
      if (run === undefined) {
        way.state = 'done';
        return false;
      }
      const begin = from < way.reached ? from : way.reached;
      const isWanted = scrapes.showsAsItIs(run, mode, begin);
      const pieces = isWanted ? renderer.ahead(run, format.kind, shown) : [];
      if (pieces === undefined) {
        way.state = 'full';
        return false;
      }
      way.reached = run.last;
      if (pieces.length === 0) continue;
      if (gzip) this.#pieces = [...pieces];
      return true;
    }
    return true;
  }
}
