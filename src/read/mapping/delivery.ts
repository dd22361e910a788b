import type { Draft, DraftFields } from '../../intake/draft.ts';
import { RefusedError } from '../../core/errors.ts';
import type { Event, EventRules } from '../../intake/event.ts';
import { eventFromDraft } from '../../intake/event.ts';
import type { Millis } from '../../core/millis.ts';
import { LeftOuts } from './leftOut.ts';
import { mapDelivery } from './map.ts';
import type { Headers } from './reference.ts';
import { fingerprintOf } from './shapes/fingerprint.ts';
import type { Webhook } from './webhooks.ts';

/** What a delivery is checked against. */
export interface DeliveryRules {
  readonly rules: EventRules;
  /** In one body. */
  readonly eventsMax: number;
}

/** What came beside the body. */
export interface DeliveryHead {
  readonly headers: Headers;
  /** What the URL says of all events; without it, nothing. */
  readonly common?: Pick<Draft, 'metric' | 'labels' | 'value'>;
}

/** What a delivery comes to. */
export interface Delivered {
  readonly events: readonly Event[];
  /** Items of which no kind is known, such as a ping. */
  readonly ignored: number;
  /** What could not be used: whole items, or parts of them. */
  readonly left: LeftOuts;
}

/** As an error calls the parts of a mapped event. */
const MAPPED: DraftFields = {
  metric: 'metric',
  value: 'value',
  timestamp: 'time',
  id: 'id',
  labels: 'labels.',
};

/**
 * Makes events of a delivery, in steps: an item each. What of an item can't be used is left out, and an item that can't be stored is; neither
 * concerns the others. Throws a RefusedError for a body that can't be read at all.
 */
export function* readDelivery(
  { mapping, shape, idSpace }: Webhook,
  document: unknown,
  { headers, common = { labels: [] } }: DeliveryHead,
  { rules, eventsMax }: DeliveryRules,
  now: Millis,
): Generator<void, Delivered> {
  // What the URL says must be right by itself, so that no item is blamed for it.
  eventFromDraft(common, rules);
  const left = new LeftOuts();
  const run = { idSpace: idSpace + ofUrl(common), rules, eventsMax, common, shape, now, left };
  const events: Event[] = [];
  let ignored = 0;
  for (const mapped of mapDelivery(mapping, { document: shape.body(document), headers }, run)) {
    if (mapped === 'ignored') ignored += 1;
    else if (mapped !== 'refused') {
      try {
        events.push(eventFromDraft(mapped, rules, MAPPED, undefined, 'cut'));
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        left.add('event', () => error);
      }
    }
    left.item += 1;
    yield;
  }
  return { events, ignored, left };
}

/** Two senders that the URL tells apart may give out the same ids. */
function ofUrl({ metric = '', labels }: Pick<Draft, 'metric' | 'labels'>): string {
  if (metric === '' && labels.length === 0) return '';
  return ` ${fingerprintOf([['__name__', metric], ...labels])}`;
}
