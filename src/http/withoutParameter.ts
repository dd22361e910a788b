import { RefusedError, shown } from '../core/errors.ts';
import { isLegacyLabelName } from '../core/labels.ts';
import type { Parameters } from './identify.ts';

/** A target that the Prometheus Operator discovers has eight labels that change or may. */
const NAMES_MAX = 16;
/** Each sample of a scrape carries them all. */
const LENGTH_MAX = 256;

const NONE: readonly string[] = [];

/**
 * `without=instance,pod`, from the `params` of a scrape config: the target's labels that events shall not get. In order and each once, so that
 * all who ask for the same ones ask in the same way. Throws a RefusedError for what can't be such a label.
 */
export function withoutOf(parameters: Parameters): readonly string[] {
  const given = parameters.get('without');
  if (given === undefined) return NONE;
  if (given.length > LENGTH_MAX)
    throw new RefusedError(
      'without',
      `without ${shown(given)} is longer than ${LENGTH_MAX} characters; name fewer labels`,
    );
  const names = given
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  for (const name of names) checkName(name);
  const distinct = [...new Set(names)].toSorted();
  if (distinct.length > NAMES_MAX)
    throw new RefusedError('without', `without names ${distinct.length} labels; name at most ${NAMES_MAX}`);
  return distinct;
}

/** What each sample has more of for it, in bytes: `instance="",`. */
export function addedBytes(without: readonly string[]): number {
  return without.reduce((sum, { length }) => sum + length + '="",'.length, 0);
}

function checkName(name: string): void {
  // Prometheus itself takes labels that begin with __ off each target.
  if (isLegacyLabelName(name) && !name.startsWith('__')) return;
  throw new RefusedError(
    'without',
    `without ${shown(name)} is not a valid label name of a target; it must match [a-zA-Z_][a-zA-Z0-9_]* and not begin with __`,
  );
}
