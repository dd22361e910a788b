import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RefusedError, shown } from '../core/errors.ts';
import type { Clock, Monotonic } from '../core/millis.ts';
import type { Run } from '../core/run.ts';
import type { Mode } from '../core/settling.ts';
import type { Scrapes } from '../relay/scrape.ts';
import type { FamilyGroup } from '../wire/out/families.ts';
import type { Format } from '../wire/out/negotiate.ts';
import { negotiate } from '../wire/out/negotiate.ts';
import { Renderer } from '../wire/out/render.ts';
import type { Encoded } from './compress.ts';
import { Compressor } from './compress.ts';
import type { Connections } from './connections.ts';
import { inSteps } from './inSteps.ts';
import type { NameOfAddress, Parameters } from './identify.ts';
import { identify, withLastingName } from './identify.ts';
import type { TrustedProxies } from './proxies.ts';
import { ERROR, textOf } from './openapi.ts';
import { flagOf, parametersOf } from './query.ts';

export interface MetricsRouteParts {
  readonly scrapes: Scrapes;
  readonly connections: Connections;
  readonly proxies: TrustedProxies;
  readonly clock: Clock;
  readonly elapsed: Monotonic;
  /** How samples are timed for a scraper that does not say. */
  readonly mode: Mode;
  /** Whether a scraper's place is bound to the user who scrapes. */
  readonly byUser: boolean;
  readonly nameOf: NameOfAddress;
  /** The server's own metrics. */
  readonly ownMetrics: () => Promise<readonly FamilyGroup[]>;
}

/** A day: no scrape timeout is longer, and a larger number is no timeout. */
const TIMEOUT_SECONDS_MAX = 86_400;

/** A larger body is handed to the socket in its parts: to join them costs more than that. */
const JOINED_BYTES_MAX = 16 * 1024;

/** By any of these an HTTP proxy shows itself. */
const PROXY_HEADERS = ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'];

const PARAMETERS = {
  type: 'object',
  properties: {
    scraper: { type: 'string', description: 'who scrapes; else the header X-Scraper-Id, else the address' },
    timestamps: {
      type: 'string',
      enum: ['explicit', 'scrape'],
      description: "samples at the event's own time, or at the scrape's",
    },
    peek: { type: 'string', enum: ['true', 'false'], description: 'look without taking' },
  },
};

const SCHEMA = {
  tags: ['scrapes'],
  summary: "What this scraper has not had, and the server's own metrics",
  querystring: PARAMETERS,
  response: {
    200: textOf('a scrape', 'text/plain', 'application/openmetrics-text', 'application/vnd.google.protobuf'),
    400: { ...ERROR, description: 'a parameter breaks a rule' },
    503: { ...ERROR, description: 'one scraper too many, or the server starts or stops; see Retry-After' },
  },
};

/** `GET /metrics`: what this scraper has not had, and the server's own metrics. HEAD and `peek=true` consume nothing. */
export function metricsRoute(app: FastifyInstance, given: MetricsRouteParts): void {
  const parts = { ...given, renderer: new Renderer(), compressor: new Compressor() };
  app.get('/metrics', { exposeHeadRoute: false, schema: SCHEMA }, async (request, reply) => {
    const asked = await readRequest(request, parts);
    return asked.peek ? peek(asked, request, reply, parts) : scrape(asked, request, reply, parts);
  });
  app.head(
    '/metrics',
    { schema: { ...SCHEMA, summary: 'The head of such a scrape; consumes nothing' } },
    async (request, reply) => peek(await readRequest(request, parts), request, reply, parts),
  );
}

/** What makes bodies. */
interface Making extends MetricsRouteParts {
  readonly renderer: Renderer;
  readonly compressor: Compressor;
}

interface Asked {
  readonly identity: ReturnType<typeof identify>;
  readonly mode: Mode;
  readonly format: Format;
  readonly peek: boolean;
}

async function readRequest(
  { raw, principal }: FastifyRequest,
  { proxies, mode, byUser, nameOf }: MetricsRouteParts,
): Promise<Asked> {
  const parameters = parametersOf(raw);
  const user = byUser ? principal?.name : undefined;
  const identity = identify(raw.socket.remoteAddress ?? '', raw.headers, parameters, proxies, user);
  return {
    mode: modeOf(parameters) ?? mode,
    format: negotiate(raw.headers.accept),
    peek: flagOf(parameters, 'peek'),
    identity: await withLastingName(identity, nameOf),
  };
}

async function scrape(
  { identity, mode, format }: Asked,
  { raw }: FastifyRequest,
  reply: FastifyReply,
  parts: Making,
): Promise<FastifyReply> {
  const { scrapes, connections, clock, elapsed } = parts;
  const requestedAt = clock();
  const askedAt = elapsed();
  const timeoutMs = announcedTimeoutMs(raw.headers['x-prometheus-scrape-timeout-seconds']);
  const { runs, offerId } = await scrapes.scrape({
    identity,
    mode,
    requestedAt,
    askedAt,
    timeoutMs,
    closes: announcesClose(raw),
    format: format.version === undefined ? format.kind : `${format.kind} ${format.version}`,
    showsEnds: mode === 'timed' && format.kind === 'protobuf',
    connection: connections.scraped(raw),
    throughProxy: PROXY_HEADERS.some((name) => raw.headers[name] !== undefined),
  });
  let body: Encoded;
  try {
    body = await bodyOf(runs, mode, format, raw.headers['accept-encoding'], parts);
  } catch (error) {
    if (offerId !== undefined) scrapes.observe(identity.id, offerId, 'closed');
    throw error;
  }
  if (offerId === undefined) return send(reply, format, body);
  const offer = { scraperId: identity.id, offerId, askedAt, timeoutMs };
  connections.carry(raw, reply.raw, offer, () => void send(reply, format, body));
  return reply;
}

async function peek(
  { identity, mode, format }: Asked,
  { raw }: FastifyRequest,
  reply: FastifyReply,
  parts: Making,
): Promise<FastifyReply> {
  const runs = await parts.scrapes.peek(identity, mode);
  return send(reply, format, await bodyOf(runs, mode, format, raw.headers['accept-encoding'], parts));
}

async function bodyOf(
  runs: readonly Run[],
  mode: Mode,
  format: Format,
  acceptEncoding: string | string[] | undefined,
  { ownMetrics, renderer, compressor }: Making,
): Promise<Encoded> {
  const pieces = await inSteps(
    renderer.render(format, runs, await ownMetrics(), { timed: mode === 'timed' }),
  );
  return compressor.encode(pieces, String(acceptEncoding ?? ''));
}

function send(reply: FastifyReply, format: Format, { parts, size, encoding }: Encoded): FastifyReply {
  if (encoding !== undefined) reply.header('Content-Encoding', encoding);
  reply
    .header('Content-Type', format.contentType)
    .header('Vary', 'Accept, Accept-Encoding')
    .header('Cache-Control', 'no-store');
  if (size <= JOINED_BYTES_MAX) return reply.send(Buffer.concat(parts));
  const { raw } = reply.header('Content-Length', size);
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  reply.hijack();
  raw.cork();
  for (const part of parts) raw.write(part);
  raw.end();
  return reply;
}

/** Whether the connection carries nothing after this request: https://www.rfc-editor.org/rfc/rfc9112#name-persistence */
function announcesClose({ headers, httpVersionMinor }: FastifyRequest['raw']): boolean {
  const options = (headers.connection ?? '').toLowerCase();
  return httpVersionMinor === 0 ? !options.includes('keep-alive') : options.includes('close');
}

/** `timestamps=explicit|scrape`, from the `params` of a scrape config. Throws a RefusedError for anything else. */
function modeOf(parameters: Parameters): Mode | undefined {
  const timestamps = parameters.get('timestamps');
  switch (timestamps) {
    case undefined:
      return undefined;
    case 'explicit':
      return 'timed';
    case 'scrape':
      return 'untimed';
    default:
      throw new RefusedError('timestamps', `timestamps ${shown(timestamps)} must be explicit or scrape`);
  }
}

/** The timeout that Prometheus announces, in ms; undefined where there is none, or none that makes sense. */
function announcedTimeoutMs(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header);
  return seconds > 0 && seconds <= TIMEOUT_SECONDS_MAX ? seconds * 1000 : undefined;
}
