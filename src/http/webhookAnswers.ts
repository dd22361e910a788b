import type { Clock } from '../core/millis.ts';
import type { Ingested } from '../intake/ingest.ts';
import type { WebhookCall } from '../read/webhooks/call.ts';
import type { AnswerForm } from '../read/webhooks/senders/sender.ts';
import type { Webhook } from '../read/webhooks/webhooks.ts';
import { ERROR } from './openapi.ts';

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

/** What of a webhook stands in the API's description. */
export function schemaOf({ name, isPreset }: Webhook): object {
  // What is configured here is nobody else's business.
  if (!isPreset) return { hide: true };
  return {
    tags: ['events'],
    summary: `Receive webhooks from ${name}`,
    description:
      "Parameters of the URL become labels of all events, except `__name__` (the metric name) and `value`. What can't be used is left out, " +
      'listed in `leftOut`, and counted.',
    consumes: ['application/json'],
    response: {
      200: { ...ANSWERED, description: 'Everything usable is stored' },
      400: { ...ERROR, description: 'The body is not JSON, or not what this sender sends' },
      401: { ...ERROR, description: 'The webhook has a secret, and the request lacks it' },
      413: { ...ERROR, description: 'The body is too large, or has too many events' },
      415: { ...ERROR, description: 'The body is a form' },
      429: { ...ERROR, description: 'More new series than series.perHourMax in this hour' },
      503: {
        ...ERROR,
        description:
          'No room on the disk or in memory, or the server is starting or stopping; see Retry-After',
      },
    },
  };
}

const ANSWERED = { type: 'object', additionalProperties: true } as const;
