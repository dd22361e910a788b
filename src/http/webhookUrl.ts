import type { Draft } from '../intake/draft.ts';
import { PARAMETERS, draftFromPairs } from '../intake/draft.ts';
import { RefusedError } from '../core/errors.ts';
import type { EventRules } from '../intake/rules.ts';
import { labelName } from '../core/labels.ts';
import type { EventLimits } from '../core/limits.ts';
import { parseForm } from '../read/form.ts';

/** It says how a batch at `/event` is answered, and is no label there. */
const PARTIAL = 'partial';

/**
 * What a webhook's URL says of all its events, as `/event` has it: labels, the metric and the value. Throws a RefusedError for what can't be
 * read, and for an id or a time, which would make one event of all.
 */
export function commonInUrl(
  query: string,
  { limits, names }: Pick<EventRules, 'limits' | 'names'>,
): Pick<Draft, 'metric' | 'labels' | 'value'> {
  if (query === '') return { labels: [] };
  const pairs = parseForm('url', query, pairsMaxOf(limits)).filter(([name]) => name !== PARTIAL);
  const { id, timestamp, labels, ...common } = draftFromPairs(pairs);
  if (id !== undefined) throw ofEach(PARAMETERS.id);
  if (timestamp !== undefined) throw ofEach(PARAMETERS.timestamp);
  return {
    ...common,
    labels: labels
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [labelName(name, limits, names), value] as const),
  };
}

/** As many as the URL of `/event` may have. */
function pairsMaxOf({ labelsMax }: EventLimits): number {
  return labelsMax * 2 + 4;
}

function ofEach(parameter: string): RefusedError {
  return new RefusedError(
    parameter,
    `${parameter} in a webhook's URL would be the same for every delivery; remove it from the URL`,
  );
}
