import type { FastifyInstance, FastifyRequest } from 'fastify';
import { eventBytes } from '../core/event.ts';
import { RefusedError, SeriesLimitError, UnsupportedError } from '../core/errors.ts';
import type { Clock } from '../core/millis.ts';
import type { Acceptor } from '../relay/accept.ts';
import type { IdRefresher } from '../relay/refresh.ts';
import type { Delivered, DeliveryRules } from '../wire/in/mapping/delivery.ts';
import { deliverySteps } from '../wire/in/mapping/delivery.ts';
import { parseDocument } from '../wire/in/mapping/document.ts';
import type { AnswerForm } from '../wire/in/mapping/presets/preset.ts';
import type { Headers } from '../wire/in/mapping/reference.ts';
import type { Webhook } from '../wire/in/mapping/webhooks.ts';
import { inSteps } from './inSteps.ts';
import { ERROR } from './openapi.ts';
import { checkSecret } from './webhookSecret.ts';

export interface WebhookParts {
  readonly webhooks: readonly Webhook[];
  readonly acceptor: Pick<Acceptor, 'accept'>;
  readonly refresher: Pick<IdRefresher, 'refresh'>;
  readonly rules: DeliveryRules;
  readonly clock: Clock;
}

/** Each webhook at its path. To be registered in a scope of its own: it takes bodies of any type, as they came, since a signature is over that. */
export async function webhookRoutes(app: FastifyInstance, parts: WebhookParts): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const webhook of parts.webhooks) {
    // Its own secret is enough; without one the request needs what every post needs.
    const config = webhook.secret === undefined ? {} : ({ access: 'open' } as const);
    app.post(webhook.path, { schema: schemaOf(webhook), config }, async (request, reply) => {
      const answer = await deliver(webhook, request, parts);
      // Alertmanager answers with no body at all.
      return answer === undefined
        ? reply.send()
        : reply.type('application/json; charset=utf-8').send(JSON.stringify(answer));
    });
  }
}

async function deliver(
  webhook: Webhook,
  request: FastifyRequest,
  { acceptor, refresher, rules, clock }: WebhookParts,
): Promise<object | undefined> {
  const isBatch = webhook.mapping.each !== undefined;
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  // Only what was sent: `constructor` is a header like any other.
  const headers: Headers = (name) =>
    Object.hasOwn(request.headers, name) ? request.headers[name]?.toString() : undefined;
  checkSecret(webhook.secret, headers, body);
  refuseForm(headers);
  const delivered = await inSteps(deliverySteps(webhook, parseDocument(body), headers, rules, clock()));
  // One is told; a body may hold many.
  const [told] = delivered.refused;
  const refused = told !== undefined && isBatch ? told.error.at(`[${told.item}]`) : told?.error;
  if (refused !== undefined && !webhook.partial) throw refused;
  for (const event of delivered.events) request.memory?.take(eventBytes(event));
  const taken = await take(webhook, delivered, { acceptor, refresher });
  // What could be taken is stored: where the sender comes again with all of it, that is one event by its id.
  const first = refused ?? taken.refused;
  if (first !== undefined) throw first;
  return ANSWERS[webhook.answer](taken, delivered, clock);
}

interface Taken {
  readonly accepted: number;
  readonly duplicates: number;
  /** The first that the cap on series refused, where the others are stored all the same. */
  readonly refused?: RefusedError | undefined;
}

async function take(
  { partial, repeats, mapping }: Webhook,
  { events }: Delivered,
  { acceptor, refresher }: Pick<WebhookParts, 'acceptor' | 'refresher'>,
): Promise<Taken> {
  if (events.length === 0) return { accepted: 0, duplicates: 0 };
  try {
    const { accepted, duplicates, outcomes } = await acceptor.accept(events, { isPartial: partial });
    if (repeats)
      await refresher.refresh(
        events.flatMap(({ id }, at) => (id !== undefined && outcomes[at] === 'duplicate' ? [id] : [])),
      );
    return { accepted, duplicates, refused: outcomes.find((outcome) => outcome instanceof RefusedError) };
  } catch (error) {
    // Of a body that holds one event, an error needs no place.
    throw mapping.each === undefined && error instanceof SeriesLimitError ? error.cause : error;
  }
}

/** What stands in an answer, by the sender's own customs; undefined for no body. */
const ANSWERS: Record<AnswerForm, (taken: Taken, delivered: Delivered, clock: Clock) => object | undefined> =
  {
    counts: ({ accepted, duplicates }, { events, ignored }) =>
      duplicates === 1 && events.length + ignored === 1
        ? { duplicate: true }
        : { accepted, ...(duplicates > 0 && { duplicates }), ...(ignored > 0 && { ignored }) },
    empty: () => undefined,
    // The id is no handle: an event can't be changed. Senders want a number there.
    annotation: (_taken, _delivered, clock) => ({ message: 'Annotation added', id: clock() }),
    graphite: (_taken, _delivered, clock) => ({ message: 'Graphite annotation added', id: clock() }),
  };

/** GitHub offers it, and most senders of forms sign something else than their JSON. */
function refuseForm(headers: Headers): void {
  if (headers('content-type')?.startsWith('application/x-www-form-urlencoded') === true)
    throw new UnsupportedError(
      'Content-Type',
      'a webhook takes JSON and no form; set its content type to application/json',
    );
}

function schemaOf({ name, isPreset, answer }: Webhook): object {
  // What is configured here is nobody else's business.
  if (!isPreset) return { hide: true };
  return {
    tags: ['events'],
    summary: `Take what ${name} sends`,
    consumes: ['application/json'],
    response: {
      200:
        answer === 'empty' ? { description: 'it is stored' } : { ...ANSWERED, description: 'it is stored' },
      400: { ...ERROR, description: 'it breaks a rule, or is no JSON' },
      401: { ...ERROR, description: 'the webhook has a secret, which the request does not show' },
      413: { ...ERROR, description: 'the body is too large, or holds too many events' },
      415: { ...ERROR, description: 'the body is a form' },
      429: { ...ERROR, description: 'it is of a new series, and as many as may be appear within the hour' },
      503: {
        ...ERROR,
        description: 'there is no room on the disk, or the server starts or stops; see Retry-After',
      },
    },
  };
}

const ANSWERED = { type: 'object', additionalProperties: true } as const;
