import { RefusedError, shown } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import { isObject } from './pointer.ts';

/** What a written mapping holds at one place; every error names the place, as `webhooks.deploys.labels.env`. */
type Members = Readonly<Record<string, unknown>>;

/** An object. Throws a RefusedError for anything else. */
export function objectAt(field: string, raw: unknown, what = 'an object'): Members {
  if (!isObject(raw)) throw wrong(field, what, raw);
  return raw;
}

/** An object with known members only. Throws a RefusedError. */
export function membersAt(field: string, raw: unknown, known: readonly string[]): Members {
  const members = objectAt(field, raw);
  const unknown = Object.keys(members).find((name) => !known.includes(name));
  if (unknown === undefined) return members;
  // What is no typing mistake may be a secret, in the wrong place.
  const has =
    nearest(unknown, known) === undefined
      ? 'has an unknown member'
      : `has an unknown member ${shown(unknown)}`;
  throw new RefusedError(field, `${field} ${has}; it can have ${known.join(', ')}`);
}

/** A text. Throws a RefusedError for anything else, the empty text, and one that is too long. */
export function textAt(field: string, raw: unknown, charactersMax: number): string {
  if (typeof raw !== 'string' || raw === '' || raw.length > charactersMax)
    throw wrong(field, `a string of 1 to ${charactersMax} characters`, raw);
  return raw;
}

/** A list. Throws a RefusedError for anything else, an empty one, and one that is too long. */
export function listAt(field: string, raw: unknown, itemsMax: number): readonly unknown[] {
  if (!Array.isArray(raw) || raw.length === 0 || raw.length > itemsMax)
    throw wrong(field, `a list of 1 to ${itemsMax} items`, raw);
  return raw;
}

/** One text, or a list of them. Throws a RefusedError. */
export function textsAt(
  field: string,
  raw: unknown,
  itemsMax: number,
  charactersMax: number,
): readonly string[] {
  const items = typeof raw === 'string' ? [raw] : listAt(field, raw, itemsMax);
  return items.map((item) => textAt(field, item, charactersMax));
}

/** One of a few words. Throws a RefusedError. */
export function wordAt<T extends string>(field: string, raw: unknown, words: readonly T[]): T {
  const found = words.find((word) => word === raw);
  if (found === undefined) throw wrong(field, `one of ${words.join(', ')}`, raw);
  return found;
}

/** A whole number, both ends included. Throws a RefusedError. */
export function wholeNumberAt(field: string, raw: unknown, min: number, max: number): number {
  if (typeof raw !== 'number' || !Number.isInteger(raw) || raw < min || raw > max)
    throw wrong(field, `a whole number from ${min} to ${max}`, raw);
  return raw;
}

/** The error for what breaks a rule: which place, the rule, what stands there (cut short). */
export function wrong(field: string, rule: string, raw: unknown): RefusedError {
  return new RefusedError(field, `${field} must be ${rule}, not ${shownJson(raw)}`);
}

function shownJson(raw: unknown): string {
  if (typeof raw === 'string') return shown(raw);
  const text = JSON.stringify(raw) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
