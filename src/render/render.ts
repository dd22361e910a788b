import type { Entry } from '../core/entry.ts';
import type { Share } from '../core/memory.ts';
import type { Run } from '../core/run.ts';
import { TextMap } from '../core/textMap.ts';
import { escapeFamily } from './escape.ts';
import type { Exposition } from './exposition.ts';
import type { FamilyGroup } from './families.ts';
import type { Shown } from './grouped.ts';
import { grouped } from './grouped.ts';
import { Kept } from './kept.ts';
import type { Format } from './negotiate.ts';
import { inSeriesOrder } from './order.ts';
import { OPEN_METRICS } from './openmetrics.ts';
import { PROTOBUF } from './protobuf.ts';
import { TEXT } from './text.ts';

const EXPOSITIONS: Record<Format['kind'], Exposition> = {
  protobuf: PROTOBUF,
  openmetrics: OPEN_METRICS,
  text: TEXT,
};

/** A run of more families is not kept: small pieces take more memory for themselves than they hold, and more time to be put together. */
const FAMILIES_KEPT_MAX = 64;

/** A piece, and what it is compressed to. */
const KEPT_TIMES = 2;

/** Entries that are written at once: a millisecond or two, in which nobody else gets a turn. */
const STEP_ENTRIES = 500;

/** A run of which is known what its lines take, about, in bytes. */
type Measured = Run & { readonly bytes: number };

/** A part of a body. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Whether these very bytes are in other bodies, too: what is made of them is worth keeping with them. */
  readonly isShared: boolean;
}

/** A run's samples of one family. */
interface FamilyPiece extends Piece {
  /** What the family's series begin with. */
  readonly head: string;
}

/** A group of the server's own families. */
interface GroupPiece extends Piece {
  /** Heads that no family of events had when it was made: with one that has, it would be another. */
  readonly without: readonly string[];
}

/** Makes bodies. What it made of what is shared is kept for as long as that is, so that the next scraper's body costs little. */
export class Renderer {
  readonly #runs: Kept<Run, readonly FamilyPiece[]>;
  readonly #groups: Kept<FamilyGroup, GroupPiece>;
  /** Runs of more families than are kept. */
  readonly #scattered = new WeakSet<Run>();

  /** `memory`: what all that is kept may take. */
  constructor(memory: Share) {
    this.#runs = new Kept(memory, (pieces) => pieces.reduce((sum, piece) => sum + keptBytes(piece), 0));
    this.#groups = new Kept<FamilyGroup, GroupPiece>(memory, keptBytes);
  }

  /**
   * A whole body in the format that was agreed on: the entries, then the server's own metrics. Families stand in the order of their
   * first entry. No series stands in two of the runs; untimed, the caller has seen to it that it stands once in all; timed, a run's
   * entries may stand in any order. `without`: labels of the target that events shall not get, in order; the server's own metrics get them.
   *
   * It is made in steps, between which others may have a turn.
   */
  *render(
    format: Format,
    runs: readonly Run[],
    own: readonly FamilyGroup[],
    { timed, without = [] }: { readonly timed: boolean; readonly without?: readonly string[] },
  ): Generator<void, readonly Piece[]> {
    const { kind, escaping } = format;
    const exposition = EXPOSITIONS[kind];
    const byHead = new TextMap<FamilyPiece[]>();
    for (const run of runs) {
      for (const piece of yield* this.#piecesOf(run, kind, { timed, escaping, without })) {
        const others = byHead.get(piece.head);
        if (others === undefined) byHead.set(piece.head, [piece]);
        else others.push(piece);
      }
    }
    const pieces: Piece[] = [];
    for (const [head, samples] of byHead.entries()) {
      let bytes = 0;
      for (const piece of samples) bytes += piece.bytes.length;
      pieces.push({ bytes: exposition.familyHead(head, bytes), isShared: false }, ...samples);
    }
    for (const group of own) pieces.push(this.#ownPiece(group, format, (head) => byHead.has(head)));
    if (exposition.end.length > 0) pieces.push({ bytes: exposition.end, isShared: false });
    return pieces;
  }

  /**
   * Makes of a shared run what bodies will need of it, and keeps it for them. Returns what it made: nothing where that is known already, or not
   * worth being kept, and undefined where there is no room: nothing that a body was made of is forgotten for it.
   */
  ahead(run: Measured, kind: Format['kind'], shown: Shown): readonly Piece[] | undefined {
    const way = wayOf(kind, shown);
    if (!run.isShared || this.#scattered.has(run) || this.#runs.isComplete(run, way)) return [];
    if (!this.#runs.hasRoom(run.bytes * KEPT_TIMES)) return undefined;
    const made = whole(makePieces(run, EXPOSITIONS[kind], shown));
    if (this.#isScattered(run, made)) return [];
    return this.#runs.setAhead(run, way, made) ? made : undefined;
  }

  #isScattered(run: Run, { length }: readonly FamilyPiece[]): boolean {
    if (length <= FAMILIES_KEPT_MAX) return false;
    this.#scattered.add(run);
    return true;
  }

  *#piecesOf(run: Run, kind: Format['kind'], shown: Shown): Generator<void, readonly FamilyPiece[]> {
    if (!run.isShared) return yield* makePieces(run, EXPOSITIONS[kind], shown);
    const way = wayOf(kind, shown);
    const known = this.#runs.get(run, way);
    if (known !== undefined) return known;
    const made = yield* makePieces(run, EXPOSITIONS[kind], shown);
    if (this.#isScattered(run, made)) return made.map((piece) => ({ ...piece, isShared: false }));
    this.#runs.set(run, way, made);
    return made;
  }

  #ownPiece(group: FamilyGroup, { kind, escaping }: Format, hasHead: (head: string) => boolean): Piece {
    const way = `${kind} ${escaping}`;
    const known = group.isShared ? this.#groups.get(group, way) : undefined;
    if (known !== undefined && !known.without.some(hasHead)) return known;
    const without: string[] = [];
    let meetsOne = false;
    const escaped = group.families.map((family) => escapeFamily(family, escaping));
    const bytes = EXPOSITIONS[kind].own(escaped, (head) => {
      const has = hasHead(head);
      if (has) meetsOne = true;
      else without.push(head);
      return has;
    });
    if (!group.isShared || meetsOne) return { bytes, isShared: false };
    const made = { bytes, isShared: true, without };
    this.#groups.set(group, way, made);
    return made;
  }
}

/** All that tells one way to show a run from another. */
export function wayOf(kind: Format['kind'], { escaping, timed, without }: Shown): string {
  return `${kind} ${escaping} ${timed ? 'timed' : 'untimed'} ${without.join()}`;
}

/** What a piece takes, with what it is compressed to, which is kept with it. */
function keptBytes({ bytes }: Piece): number {
  return bytes.length * KEPT_TIMES;
}

function whole<Result>(steps: Iterator<void, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function* makePieces(run: Run, exposition: Exposition, shown: Shown): Generator<void, FamilyPiece[]> {
  const entries = run.entries();
  const withEnds = shown.timed && exposition.showsEnds;
  const visible = withEnds ? entries : entries.filter(({ kind }) => kind === 'event');
  const ordered = shown.timed ? inSeriesOrder(visible) : visible;
  const pieces: FamilyPiece[] = [];
  // What is shared is small, and worth the more, the larger its pieces are.
  for (const part of run.isShared ? [ordered] : parts(ordered)) {
    for (const [head, samples] of grouped(part, shown))
      pieces.push({ head, bytes: exposition.samples(samples, shown.timed), isShared: run.isShared });
    yield;
  }
  return pieces;
}

/** Entries in parts, none of which ends between two of one series. */
function* parts(entries: readonly Entry[]): Generator<readonly Entry[]> {
  for (let from = 0; from < entries.length;) {
    let upTo = Math.min(from + STEP_ENTRIES, entries.length);
    while (upTo < entries.length && entries[upTo]?.series === entries[upTo - 1]?.series) upTo += 1;
    yield entries.slice(from, upTo);
    from = upTo;
  }
}
