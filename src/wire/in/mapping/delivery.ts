import type { DraftFields } from '../../../core/draft.ts';
import { RefusedError } from '../../../core/errors.ts';
import type { Event, EventRules } from '../../../core/event.ts';
import { eventFromDraft } from '../../../core/event.ts';
import type { Millis } from '../../../core/millis.ts';
import { mapDelivery } from './map.ts';
import type { Headers } from './reference.ts';
import type { Webhook } from './webhooks.ts';

/** What a delivery is checked against. */
export interface DeliveryRules {
  readonly rules: EventRules;
  /** In one body. */
  readonly eventsMax: number;
}

/** What a delivery comes to. */
export interface Delivered {
  readonly events: readonly Event[];
  /** Items of which no kind is known, such as a ping. */
  readonly ignored: number;
  /** Items that break a rule. Nothing of the delivery may be stored then, unless the webhook is `partial`. */
  readonly refused: readonly { readonly item: number; readonly error: RefusedError }[];
}

/** As an error calls the parts of a mapped event. */
const MAPPED: DraftFields = {
  metric: 'metric',
  value: 'value',
  timestamp: 'time',
  id: 'id',
  labels: 'labels.',
};

/** Makes events of a delivery. Throws a RefusedError for one that can't be read at all. */
export function readDelivery(...given: Parameters<typeof deliverySteps>): Delivered {
  const steps = deliverySteps(...given);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same in steps, one for each item: a body may hold tens of thousands. */
export function* deliverySteps(
  { mapping, shape, idSpace }: Webhook,
  document: unknown,
  headers: Headers,
  { rules, eventsMax }: DeliveryRules,
  now: Millis,
): Generator<void, Delivered> {
  const run = { idSpace, idBytesMax: rules.limits.idBytesMax, names: rules.names, eventsMax };
  const mapped = mapDelivery(mapping, { document: shape(document, now), headers }, run);
  const events: Event[] = [];
  const refused: { item: number; error: RefusedError }[] = [];
  let item = -1;
  for (const { draft, refusal } of mapped) {
    item += 1;
    yield;
    if (refusal !== undefined) refused.push({ item, error: refusal });
    if (draft === undefined) continue;
    try {
      events.push(eventFromDraft(draft, rules, MAPPED));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refused.push({ item, error });
    }
  }
  return { events, ignored: item + 1 - events.length - refused.length, refused };
}
