import { draftFromPairs } from '../../src/core/draft.ts';
import type { Event, EventRules } from '../../src/core/event.ts';
import { eventFromDraft } from '../../src/core/event.ts';

/** Makes an event of parameters, as a form has them. Throws a RefusedError. */
export const eventFromPairs = (
  pairs: readonly (readonly [name: string, value: string])[],
  rules: EventRules,
): Event => eventFromDraft(draftFromPairs(pairs), rules);
