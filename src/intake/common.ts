import type { Draft, DraftFields } from './draft.ts';
import { givenTwice } from './draft.ts';

/**
 * A draft with what is common to all events of its body. Throws a RefusedError for a part that both have; of labels, the check of the
 * draft finds those given twice. The id of what is common is not an event's: it would be that of all of them.
 */
export function withCommon(common: Draft, draft: Draft, fields: DraftFields): Draft {
  const { metric, value, timestamp } = common;
  if (common.labels.length === 0 && metric === undefined && value === undefined && timestamp === undefined)
    return draft;
  for (const part of ['metric', 'value', 'timestamp'] as const) {
    if (common[part] !== undefined && draft[part] !== undefined) throw givenTwice(fields[part]);
  }
  return {
    ...(metric !== undefined && { metric }),
    ...(value !== undefined && { value }),
    ...(timestamp !== undefined && { timestamp }),
    ...draft,
    labels: common.labels.length === 0 ? draft.labels : [...common.labels, ...draft.labels],
  };
}
