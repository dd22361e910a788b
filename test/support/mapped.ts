import { expect } from 'vitest';
import { millis } from '../../src/core/millis.ts';
import type { EventNames } from '../../src/core/labels.ts';
import { parseJson } from '../../src/read/json.ts';
import { compileMapping } from '../../src/read/webhooks/compile.ts';
import type { MappingSource } from '../../src/read/webhooks/language.ts';
import { LeftOuts } from '../../src/read/webhooks/leftOut.ts';
import type { MappingRun } from '../../src/read/webhooks/map.ts';
import { mapBody } from '../../src/read/webhooks/map.ts';
import { asItCame } from '../../src/read/webhooks/shapes/shape.ts';
import { WIDE_LIMITS } from './rules.ts';

export const LIMITS = { ...WIDE_LIMITS, idBytesMax: 64 };

export function runWith(names: EventNames = 'legacy', left = new LeftOuts()): MappingRun {
  const rules = { limits: LIMITS, names };
  return { idSpace: 'w', rules, eventsMax: 3, common: { labels: [] }, shape: asItCame, now: millis(0), left };
}

/** What a mapping makes of a body: of each item its draft, or the text of why it was refused, or null where it is of no kind. */
export function map(
  source: MappingSource,
  document: unknown,
  { headers = {}, names = 'legacy' }: { headers?: Record<string, string>; names?: EventNames } = {},
) {
  const mapping = compileMapping('webhooks.w', source, { limits: LIMITS, names, reserved: () => false });
  const left = new LeftOuts();
  const delivery = {
    document: parseJson(JSON.stringify(document)),
    headers: (name: string) => headers[name],
  };
  const mapped = [...mapBody(mapping, delivery, runWith(names, left))];
  const refused = left.told.filter(({ part }) => part === 'event')[Symbol.iterator]();
  return mapped.map((each) => {
    if (each === 'ignored') return null;
    return each === 'refused' ? (refused.next().value?.error.message ?? 'refused') : each;
  });
}

/** What was left out of the only event: part, and why. */
export function leftOf(source: MappingSource, document: unknown): [part: string, why: string][] {
  const mapping = compileMapping('webhooks.w', source, {
    limits: LIMITS,
    names: 'legacy',
    reserved: () => false,
  });
  const left = new LeftOuts();
  const delivery = { document: parseJson(JSON.stringify(document)), headers: () => undefined };
  expect([...mapBody(mapping, delivery, runWith('legacy', left))]).toHaveLength(1);
  return left.told.map(({ part, error }) => [part, error.message]);
}

/** The labels of the only event. */
export function labels(
  source: MappingSource['labels'],
  document: unknown,
  more: Partial<MappingSource> = {},
): object {
  const [draft] = map({ ...more, ...(source && { labels: source }) }, document);
  if (draft === null || typeof draft !== 'object') throw new Error(String(draft));
  return Object.fromEntries(draft.labels);
}
