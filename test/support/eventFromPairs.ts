import { draftFromPairs } from '../../src/intake/draft.ts';
import type { Event } from '../../src/intake/event.ts';
import type { EventRules } from '../../src/intake/rules.ts';
import { eventFromDraft } from '../../src/intake/event.ts';

/** Makes an event of parameters, as a form has them. Throws a RefusedError. */
export const eventFromPairs = (
  pairs: readonly (readonly [name: string, value: string])[],
  rules: EventRules,
): Event => eventFromDraft(draftFromPairs(pairs), rules);
