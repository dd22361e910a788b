import { RefusedError, UnsupportedError } from '../core/errors.ts';
import type { Claim } from '../core/memory.ts';
import type { Clock } from '../core/millis.ts';
import type { Ingest, Ingested } from '../intake/ingest.ts';
import type { Counts } from '../counting/counts.ts';
import type { IdRefresher } from '../intake/refreshIds.ts';
import type { CallRules } from '../read/webhooks/call.ts';
import { WebhookCall, MAPPED } from '../read/webhooks/call.ts';
import { readDocument } from '../read/webhooks/document.ts';
import { LEFT_OUT_PARTS } from '../read/webhooks/leftOut.ts';
import type { Headers } from '../read/webhooks/reference.ts';
import type { Webhook } from '../read/webhooks/webhooks.ts';
import type { Endpoint } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import type { LoopTurns } from './loopTurns.ts';
import { queryOf } from './query.ts';
import type { ServerNews } from './server.ts';
import { answerTo, operationOf } from './webhookAnswers.ts';
import { commonInUrl } from './webhookUrl.ts';
import { checkSecret } from './webhookSecret.ts';

export interface WebhookParts {
  readonly webhooks: readonly Webhook[];
  readonly ingest: Ingest;
  readonly refresher: Pick<IdRefresher, 'refresh'>;
  readonly rules: CallRules;
  /** The longest body, in bytes. */
  readonly bodyBytesMax: number;
  readonly counts: Pick<Counts, 'leftOut'>;
  readonly news: Pick<ServerNews, 'leftOut'>;
  readonly clock: Clock;
  readonly loop: LoopTurns;
}

/** Each webhook's row. Its own secret is enough; without one a request needs what every post needs. */
export function webhookEndpoints(parts: WebhookParts): readonly Endpoint[] {
  return parts.webhooks.map((webhook) => ({
    method: 'POST',
    path: webhook.path,
    access: webhook.secret === undefined ? 'write' : 'open',
    limits: 'posts',
    // Of any type, as they came, since a signature is over that.
    body: { bytesMax: parts.bodyBytesMax, isRepetitive: true },
    operation: operationOf(webhook),
    handler: async (exchange) => {
      const answer = await receive(webhook, exchange, parts);
      // Alertmanager answers with no body at all.
      if (answer === undefined) exchange.send();
      else exchange.json(answer);
    },
  }));
}

async function receive(
  webhook: Webhook,
  exchange: Exchange,
  parts: WebhookParts,
): Promise<object | undefined> {
  const { ingest, rules, clock, loop } = parts;
  const { request, memory } = exchange;
  const body = await exchange.wholeBody();
  // Only what was sent: `constructor` is a header like any other.
  const headers: Headers = (name) =>
    Object.hasOwn(request.headers, name) ? request.headers[name]?.toString() : undefined;
  checkSecret(webhook.secret, headers, body);
  refuseForm(headers);
  const common = commonInUrl(queryOf(request), rules.rules);
  ingest.checkCommon(common);
  // In steps: a body may be long, and others want their turns.
  const document = await loop.run(held(readDocument(body, webhook.wanted), memory));
  const call = new WebhookCall();
  const ingested = await ingest.ingest(call.drafts(webhook, document, { headers, common }, rules, clock()), {
    fields: MAPPED,
    isBatch: true,
    isPartial: true,
    memory,
    sender: exchange,
    hearer: call,
    tooMuch: 'cut',
  });
  tellLeftOut(webhook, call, parts);
  if (webhook.repeats) await refresh(ingested, parts.refresher);
  // What could be taken is stored: where the sender comes again with all of it, that is one event by its id.
  const refused = ingested.outcomes.find((outcome) => outcome instanceof RefusedError);
  if (refused !== undefined) throw refused;
  return answerTo(webhook, ingested, call, clock);
}

/** Takes the memory that each step needs. Throws what `memory` throws. */
function* held<Result>(steps: Iterator<number, Result>, memory: Claim | undefined): Generator<void, Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    memory?.take(step.value);
    yield;
  }
}

/** The sender can't do anything about it, so whoever runs the server hears of it, too. */
function tellLeftOut({ path }: Webhook, { left }: WebhookCall, { counts, news }: WebhookParts): void {
  for (const part of LEFT_OUT_PARTS) counts.leftOut[part] += left.counts[part];
  const [first] = left.told;
  if (first === undefined) return;
  const { field, message } = first.error;
  news.leftOut({ route: path, field, error: message });
}

/** Ids of alerts that go on firing are kept for as long as they do. */
async function refresh({ events, outcomes }: Ingested, refresher: WebhookParts['refresher']): Promise<void> {
  await refresher.refresh(
    events.flatMap(({ id }, at) => (id !== undefined && outcomes[at] === 'duplicate' ? [id] : [])),
  );
}

/** GitHub offers it, and most senders of forms sign something else than their JSON. */
function refuseForm(headers: Headers): void {
  if (headers('content-type')?.startsWith('application/x-www-form-urlencoded') === true)
    throw new UnsupportedError(
      'Content-Type',
      'a webhook accepts only JSON, not a form; set the content type to application/json',
    );
}
