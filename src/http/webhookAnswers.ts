import type { Clock } from '../core/millis.ts';
import type { Ingested } from '../intake/ingest.ts';
import type { WebhookCall } from '../read/webhooks/call.ts';
import type { AnswerForm } from '../read/webhooks/senders/sender.ts';
import type { Webhook } from '../read/webhooks/webhooks.ts';
import type { Operation } from './operation.ts';
import { json, refusal } from './operation.ts';

/**
 * What to answer once all is stored that can be, by the sender's own customs; undefined for no body. It is a 200 whatever was left out: Argo CD
 * takes nothing else for success, GitLab switches a webhook off that gets errors, GitHub never sends again. What was left out is told in it.
 */
export function answerTo(
  { answer, mapping }: Pick<Webhook, 'answer' | 'mapping'>,
  ingested: Ingested,
  call: WebhookCall,
  clock: Clock,
): object | undefined {
  const usual = ANSWERS[answer](ingested, call, clock);
  const { left } = call;
  if (left.isEmpty) return usual;
  const isBatch = mapping.each !== undefined;
  return {
    ...usual,
    leftOut: left.told.map(({ item, error: { field, message } }) => ({
      ...(isBatch && { item }),
      field,
      error: message,
    })),
  };
}

const ANSWERS: Record<
  AnswerForm,
  (ingested: Ingested, call: WebhookCall, clock: Clock) => object | undefined
> = {
  counts: ({ accepted, duplicates, events }, { ignored, left }) => {
    const refused = left.counts.event;
    return duplicates === 1 && events.length + ignored + refused === 1
      ? { duplicate: true }
      : {
          accepted,
          ...(duplicates > 0 && { duplicates }),
          ...(ignored > 0 && { ignored }),
          ...(refused > 0 && { refused }),
        };
  },
  empty: () => undefined,
  // The id is no handle: an event can't be changed. Senders want a number there.
  annotation: (_ingested, _delivery, clock) => ({ message: 'Annotation added', id: clock() }),
  graphite: (_ingested, _delivery, clock) => ({ message: 'Graphite annotation added', id: clock() }),
};

/** What of a webhook stands in the API's description: nothing of one that is configured. */
export function operationOf({ name, receives, secret }: Webhook): Operation | 'hidden' {
  if (receives === undefined) return 'hidden';
  return {
    id: `receive${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    tag: 'events',
    summary: `Receive ${receives}`,
    description:
      "Parameters of the URL become labels of all events, except `__name__` (the metric name) and `value`. What can't be used is left out, " +
      'listed in `leftOut`, and counted.',
    requestBody: { 'application/json': {} },
    responses: {
      200: json('Everything usable is stored', { type: 'object', additionalProperties: true }),
      400: refusal('The body is not JSON, or not what this sender sends'),
      ...(secret !== undefined && { 401: refusal("The request lacks the webhook's secret") }),
      413: refusal('The body is too large, or has too many events'),
      415: refusal('The body is a form'),
      429: refusal('More new series than series.perHourMax in this hour'),
      503: refusal(
        'No room on the disk or in memory, or the server is starting or stopping; see Retry-After',
      ),
    },
  };
}
