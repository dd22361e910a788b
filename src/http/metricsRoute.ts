import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Entry } from '../core/entry.ts';
import type { Clock } from '../core/millis.ts';
import type { Mode } from '../core/settling.ts';
import type { Scrapes } from '../relay/scrape.ts';
import type { Family } from '../wire/out/families.ts';
import { TEXT_CONTENT_TYPE, renderFamilies, renderText } from '../wire/out/text.ts';
import type { Connections } from './connections.ts';
import { identify } from './identify.ts';
import type { TrustedProxies } from './proxies.ts';
import { flagOf, parametersOf } from './query.ts';

export interface MetricsRouteParts {
  readonly scrapes: Scrapes;
  readonly connections: Connections;
  readonly proxies: TrustedProxies;
  readonly clock: Clock;
  readonly mode: Mode;
  /** The server's own metrics. */
  readonly ownMetrics: () => Promise<readonly Family[]>;
}

/** A day: no scrape timeout is longer, and a larger number is no timeout. */
const TIMEOUT_SECONDS_MAX = 86_400;

/** `GET /metrics`: what this scraper has not had, and the server's own metrics. HEAD and `peek=true` consume nothing. */
export function metricsRoute(app: FastifyInstance, parts: MetricsRouteParts): void {
  app.get('/metrics', { exposeHeadRoute: false }, async (request, reply) => {
    const parameters = parametersOf(request.raw);
    if (flagOf(parameters, 'peek')) return peek(request, reply, parts);
    return scrape(request, reply, parts);
  });
  app.head('/metrics', (request, reply) => peek(request, reply, parts));
}

async function scrape(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: MetricsRouteParts,
): Promise<FastifyReply> {
  const requestedAt = parts.clock();
  const identity = identityOf(request, parts);
  const timeoutMs = announcedTimeoutMs(request.headers['x-prometheus-scrape-timeout-seconds']);
  const { entries, offerId } = await parts.scrapes.scrape({
    identity,
    mode: parts.mode,
    requestedAt,
    timeoutMs,
  });
  let body: Buffer;
  try {
    body = await render(entries, parts);
  } catch (error) {
    if (offerId !== undefined) parts.scrapes.observe(identity.id, offerId, 'closed');
    throw error;
  }
  if (offerId === undefined) return sendText(reply, body);
  const offer = { scraperId: identity.id, offerId, requestedAt, timeoutMs };
  parts.connections.carry(request.raw, reply.raw, offer, () => void sendText(reply, body));
  return reply;
}

async function peek(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: MetricsRouteParts,
): Promise<FastifyReply> {
  const entries = await parts.scrapes.peek(identityOf(request, parts), parts.mode);
  return sendText(reply, await render(entries, parts));
}

function identityOf(request: FastifyRequest, { proxies }: MetricsRouteParts) {
  const { headers, socket } = request.raw;
  return identify(socket.remoteAddress ?? '', headers, parametersOf(request.raw), proxies);
}

async function render(entries: readonly Entry[], { mode, ownMetrics }: MetricsRouteParts): Promise<Buffer> {
  return Buffer.from(renderText(entries, { timed: mode === 'timed' }) + renderFamilies(await ownMetrics()));
}

function sendText(reply: FastifyReply, body: Buffer): FastifyReply {
  return reply.header('Content-Type', TEXT_CONTENT_TYPE).header('Cache-Control', 'no-store').send(body);
}

/** The timeout that Prometheus announces, in ms; undefined where there is none, or none that makes sense. */
function announcedTimeoutMs(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header);
  return seconds > 0 && seconds <= TIMEOUT_SECONDS_MAX ? seconds * 1000 : undefined;
}
