import type { Millis } from '../core/millis.ts';
import { formatSampleValue } from '../core/value.ts';
import { EVENT_HELP } from './exposition.ts';
import type { Sample } from './exposition.ts';

/* What the text formats have in common. */

const encoder = new TextEncoder();

/** A line for each sample, its time behind it where `shownTime` says how times are written. Each ends in a newline, the last too. */
export function sampleLines(samples: readonly Sample[], shownTime?: (time: Millis) => string): Uint8Array {
  let text = '';
  for (const { series, entry } of samples) {
    text += series + ' ' + formatSampleValue(entry.value);
    text += shownTime === undefined ? '\n' : ` ${shownTime(entry.time)}\n`;
  }
  return encoder.encode(text);
}

/** The comments before a family of events. Its name is in quotes where it isn't a legacy one. */
export function familyComments(head: string): Uint8Array {
  const name = head.startsWith('{') ? head.slice(1) : head;
  return encoder.encode(`# HELP ${name} ${EVENT_HELP}\n# TYPE ${name} gauge\n`);
}
