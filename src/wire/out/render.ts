import type { Run } from '../../core/run.ts';
import { escapeFamily } from './escape.ts';
import type { Exposition } from './exposition.ts';
import type { Family } from './families.ts';
import type { Shown } from './grouped.ts';
import { grouped } from './grouped.ts';
import type { Format } from './negotiate.ts';
import { OPEN_METRICS } from './openmetrics.ts';
import { PROTOBUF } from './protobuf.ts';
import { TEXT } from './text.ts';

const EXPOSITIONS: Record<Format['kind'], Exposition> = {
  protobuf: PROTOBUF,
  openmetrics: OPEN_METRICS,
  text: TEXT,
};

/** In how many ways a shared run is kept: a fleet of scrapers asks for one, or for two while it is upgraded. */
const WAYS_KEPT = 2;

/** A run of more families is not kept: small pieces take more memory for themselves than they hold, and more time to be put together. */
const FAMILIES_KEPT_MAX = 64;

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

/** Makes bodies. What it made of a shared run is kept for as long as that run is, so that the next scraper's body costs little. */
export class Renderer {
  readonly #kept = new WeakMap<Run, Map<string, readonly FamilyPiece[]>>();

  /**
   * A whole body in the format that was agreed on: the entries, then the server's own metrics. Families stand in the order of their
   * first entry. No series stands in two of the runs; untimed, the caller has seen to it that it stands once in all; timed, a run's
   * entries may stand in any order.
   */
  render(
    format: Format,
    runs: readonly Run[],
    families: readonly Family[],
    { timed }: { readonly timed: boolean },
  ): readonly Piece[] {
    const { kind, escaping } = format;
    const exposition = EXPOSITIONS[kind];
    const byHead = new Map<string, FamilyPiece[]>();
    for (const run of runs) {
      for (const piece of this.#piecesOf(run, kind, { timed, escaping })) {
        const others = byHead.get(piece.head);
        if (others === undefined) byHead.set(piece.head, [piece]);
        else others.push(piece);
      }
    }
    const pieces: Piece[] = [];
    for (const [head, samples] of byHead) {
      let bytes = 0;
      for (const piece of samples) bytes += piece.bytes.length;
      pieces.push({ bytes: exposition.familyHead(head, bytes), isShared: false }, ...samples);
    }
    const own = families.map((family) => escapeFamily(family, escaping));
    pieces.push({ bytes: exposition.rest(own, (head) => byHead.has(head)), isShared: false });
    return pieces;
  }

  #piecesOf(run: Run, kind: Format['kind'], shown: Shown): readonly FamilyPiece[] {
    if (!run.isShared) return makePieces(run, EXPOSITIONS[kind], shown);
    const kept = this.#kept.get(run) ?? new Map<string, readonly FamilyPiece[]>();
    this.#kept.set(run, kept);
    const way = `${kind} ${shown.escaping} ${shown.timed ? 'timed' : 'untimed'}`;
    const known = kept.get(way);
    if (known !== undefined) return known;
    const made = makePieces(run, EXPOSITIONS[kind], shown);
    if (made.length > FAMILIES_KEPT_MAX) return made.map((piece) => ({ ...piece, isShared: false }));
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size === WAYS_KEPT) kept.delete(oldest);
    kept.set(way, made);
    return made;
  }
}

function makePieces(run: Run, exposition: Exposition, shown: Shown): readonly FamilyPiece[] {
  const entries = run.entries();
  const withEnds = shown.timed && exposition.showsEnds;
  const visible = withEnds ? entries : entries.filter(({ kind }) => kind === 'event');
  return Array.from(grouped(visible, shown), ([head, samples]) => ({
    head,
    bytes: exposition.samples(samples, shown.timed),
    isShared: run.isShared,
  }));
}
