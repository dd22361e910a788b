import type { NewEntry } from '../../core/entry.ts';
import type { Millis } from '../../core/millis.ts';
import type { Offset } from '../../core/offset.ts';
import type { NewId } from '../ids.ts';
import type { MovedId } from '../inbox.ts';

/** What is to be written for one call. */
export type Change =
  | { readonly kind: 'append'; readonly entries: readonly NewEntry[]; readonly ids: readonly NewId[] }
  | { readonly kind: 'trim'; readonly upTo: Offset }
  | { readonly kind: 'saveScraper'; readonly id: string; readonly version: number; readonly record: string }
  | { readonly kind: 'deleteScraper'; readonly id: string }
  | { readonly kind: 'saveNote'; readonly key: string; readonly text: string }
  | {
      readonly kind: 'refreshIds';
      readonly ids: readonly string[];
      readonly arrivedBefore: Millis;
      readonly arrived: Millis;
    }
  | { readonly kind: 'forgetIds'; readonly count: number; readonly arrivedBefore: Millis }
  /** Takes posts out of the inbox, and appends their events. */
  | {
      readonly kind: 'move';
      readonly keys: readonly number[];
      readonly entries: readonly NewEntry[];
      readonly ids: readonly MovedId[];
    }
  /** Nothing but the proof of ownership. */
  | { readonly kind: 'prove' };

export type ChangeOf<Kind extends Change['kind']> = Extract<Change, { readonly kind: Kind }>;

type Table = 'blocks' | 'ids' | 'inbox' | 'scrapers' | 'notes';

/** The tables that a kind of change writes to, and whether others of its kind can be written with it. */
const KINDS: Record<Change['kind'], { readonly tables: readonly Table[]; readonly isAlone?: true }> = {
  append: { tables: ['blocks', 'ids'] },
  trim: { tables: ['blocks'], isAlone: true },
  saveScraper: { tables: ['scrapers'] },
  deleteScraper: { tables: ['scrapers'] },
  saveNote: { tables: ['notes'] },
  refreshIds: { tables: ['ids'], isAlone: true },
  forgetIds: { tables: ['ids'], isAlone: true },
  move: { tables: ['blocks', 'ids', 'inbox'], isAlone: true },
  prove: { tables: [] },
};

/** Of series, in UTF-16 units: a statement is made and held whole, here and in the server. */
const UNITS_MAX = 4 * 1024 * 1024;
const CHANGES_MAX = 5_000;

/** What a change takes while it waits, in bytes: an estimate. */
export function sizeOf(change: Change): number {
  const overhead = 200;
  switch (change.kind) {
    case 'append':
    case 'move':
      return change.entries.reduce((sum, { series }) => sum + series.length + overhead, overhead);
    case 'saveScraper':
      return change.record.length + overhead;
    case 'saveNote':
      return change.text.length + overhead;
    default:
      return overhead;
  }
}

/**
 * How many of the changes that wait can be made in one statement, in their order: 1 or more. In one statement a table is changed in one way
 * only, since no part of it sees what another has done.
 */
export function countTogether(changes: readonly Change[]): number {
  const ways = new Map<Table, Change['kind']>();
  const versions = new Map<string, number>();
  let units = 0;
  for (const [index, change] of changes.entries()) {
    const { tables, isAlone } = KINDS[change.kind];
    const isTaken = tables.some((table) => {
      const way = ways.get(table);
      return way !== undefined && (way !== change.kind || isAlone === true);
    });
    // One that isn't above the one before is refused by the table, so that it must find that one there.
    const isBehind = change.kind === 'saveScraper' && change.version <= (versions.get(change.id) ?? 0);
    if (isTaken || isBehind || index === CHANGES_MAX || (units > 0 && units + sizeOf(change) > UNITS_MAX))
      return index;
    for (const table of tables) ways.set(table, change.kind);
    if (change.kind === 'saveScraper') versions.set(change.id, change.version);
    units += sizeOf(change);
  }
  return changes.length;
}
