import { cutToBytes } from '../../intake/keptLabels.ts';
import type { EventNames } from '../../core/labels.ts';
import { utf8Bytes } from '../../core/utf8.ts';
import { fingerprintOf } from './shapes/fingerprint.ts';

/** What names of labels must keep to. */
export interface LabelNameRules {
  readonly names: EventNames;
  readonly bytesMax: number;
  /** Names that others have already. */
  readonly taken: ReadonlySet<string>;
  /** Stands before a name that is taken. */
  readonly prefix: string;
}

/** Digits of a fingerprint that tell two names apart. */
const SUFFIX_DIGITS = 8;

/**
 * Makes labels' names of those that a sender gave, which he can't change: for each its own name, in their order. None is refused, none is
 * reserved, and no two are the same.
 *
 * - A character beyond the legacy charset becomes `_`; so does a digit's missing beginning. With UTF-8 names nothing does but NUL.
 * - Underscores at the beginning become one, since names that begin with two are Prometheus' own.
 * - A name that is taken gets the prefix.
 * - Where several become one name, the one that is written so keeps it; each other gets `_` and 8 digits of its own fingerprint. That depends
 *   on the names alone and not on their order, so that the same labels are always the same series.
 */
export function labelNamesOf(raws: readonly string[], rules: LabelNameRules): readonly string[] {
  const bases = raws.map((raw) => baseOf(raw, rules));
  const counts = new Map<string, number>();
  for (const base of bases) counts.set(base, (counts.get(base) ?? 0) + 1);
  const names = new Map<string, string>();
  const used = new Set(rules.taken);
  const isOwn = (raw: string, base: string) => raw === base || counts.get(base) === 1;
  // Those that keep their names come first: nobody may be pushed aside by what another one becomes.
  for (const [at, raw] of raws.entries()) {
    const base = bases[at] as string;
    if (!isOwn(raw, base) || used.has(base)) continue;
    used.add(base);
    names.set(raw, base);
  }
  for (const raw of raws.toSorted()) {
    if (names.has(raw)) continue;
    let name = withSuffix(raw, baseOf(raw, rules), rules.bytesMax);
    while (used.has(name)) name = withSuffix(name, name, rules.bytesMax);
    used.add(name);
    names.set(raw, name);
  }
  return raws.map((raw) => names.get(raw) as string);
}

function baseOf(raw: string, { names, bytesMax, taken, prefix }: LabelNameRules): string {
  const plain = plainName(raw, names);
  const name = taken.has(plain) ? prefix + plain : plain;
  return utf8Bytes(name, bytesMax) > bytesMax ? withSuffix(raw, name, bytesMax) : name;
}

function plainName(raw: string, names: EventNames): string {
  const text =
    names === 'utf8'
      ? raw.toWellFormed().replaceAll('\0', '_')
      : raw.replaceAll(/[^a-zA-Z0-9_]/gu, '_').replace(/^(?=\d)/, '_');
  return unreserved(text);
}

/** Names that begin with two underscores are Prometheus' own. */
function unreserved(name: string): string {
  return name.replace(/^_{2,}/, '_');
}

/** A name with what tells `raw` apart behind it, within so many bytes. */
function withSuffix(raw: string, name: string, bytesMax: number): string {
  const suffix = `_${fingerprintOf([['', raw]]).slice(0, SUFFIX_DIGITS)}`;
  return unreserved(cutToBytes(name, Math.max(0, bytesMax - suffix.length)) + suffix);
}
