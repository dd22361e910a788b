import type { Millis } from './millis.ts';
import type { Offset } from './offset.ts';

/** The latest moment that is remembered as a text: whole batches, and all posts of a millisecond, arrived at the same. */
let latest = { at: -1, text: '' };

/**
 * What stands for an event that came without an id: where it is in the log, and when it arrived, so that nobody takes the event of another log
 * for it. Both are known once it is stored, so nothing more has to be kept.
 */
export function eventIdOf(offset: Offset, arrived: Millis): string {
  if (latest.at !== arrived) latest = { at: arrived, text: `-${arrived.toString(36)}` };
  return `e${offset}${latest.text}`;
}

const EVENT_ID = /^e([1-9]\d{0,15})-([1-9a-z][\da-z]{0,10})$/;

/** What an id says that `eventIdOf` made; undefined for any other text. Whether there is such an event, the log tells. */
export function readEventId(id: string): { readonly offset: Offset; readonly arrived: Millis } | undefined {
  const [, place, time = ''] = EVENT_ID.exec(id) ?? [];
  const offset = Number(place) as Offset;
  const arrived = Number.parseInt(time, 36) as Millis;
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(arrived)) return undefined;
  return eventIdOf(offset, arrived) === id ? { offset, arrived } : undefined;
}
