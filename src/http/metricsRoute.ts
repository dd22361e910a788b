import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Once } from '../core/collapse.ts';
import { RefusedError, shown } from '../core/errors.ts';
import type { Claim, Share } from '../core/memory.ts';
import type { Clock } from '../core/millis.ts';
import type { Run } from '../core/run.ts';
import type { Mode } from '../core/settling.ts';
import type { Scrapes } from '../relay/scrape.ts';
import type { FamilyGroup } from '../wire/out/families.ts';
import type { Format } from '../wire/out/negotiate.ts';
import { negotiate } from '../wire/out/negotiate.ts';
import { Renderer } from '../wire/out/render.ts';
import type { AnswerMemory } from './answerMemory.ts';
import type { Encoded } from './compress.ts';
import { Compressor } from './compress.ts';
import type { Connections } from './connections.ts';
import { inSteps } from './inSteps.ts';
import type { NameOfAddress, Parameters } from './identify.ts';
import { identify, withLastingName } from './identify.ts';
import type { TrustedProxies } from './proxies.ts';
import { ERROR, textOf } from './openapi.ts';
import { isOnce } from './onceParameter.ts';
import { flagOf, parametersOf } from './query.ts';
import { addedBytes, withoutOf } from './withoutParameter.ts';

export interface MetricsRouteParts {
  readonly scrapes: Scrapes;
  readonly connections: Connections;
  readonly proxies: TrustedProxies;
  readonly clock: Clock;
  /** How samples are timed for a scraper that does not say. */
  readonly mode: Mode;
  /** Whether a scraper's place is bound to the user who scrapes. */
  readonly byUser: boolean;
  readonly nameOf: NameOfAddress;
  /** What is rendered for all scrapers may take this. */
  readonly rendered: Share;
  readonly answers: AnswerMemory;
  /** What a scrape carries of events at most, in bytes. */
  readonly bytesMax: number;
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
    without: {
      type: 'array',
      items: { type: 'string' },
      description:
        "the target's labels that events don't get, such as instance,pod; needs honor_labels: true",
    },
    series: {
      type: 'string',
      enum: ['once', 'all'],
      description: 'whether a timed scrape shows each series once, and leaves its other samples for the next',
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
  const parts = { ...given, renderer: new Renderer(given.rendered), compressor: new Compressor() };
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
  /** The target's labels that events shall not get. */
  readonly without: readonly string[];
  /** Whether samples can be the ends of pulses. */
  readonly showsEnds: boolean;
  /** What may stand only once in a timed scrape of each series. */
  readonly once: Once | undefined;
}

async function readRequest(
  { raw, principal }: FastifyRequest,
  { proxies, mode, byUser, nameOf }: MetricsRouteParts,
): Promise<Asked> {
  const parameters = parametersOf(raw, ['without']);
  const user = byUser ? principal?.name : undefined;
  const identity = identify(raw.socket.remoteAddress ?? '', raw.headers, parameters, proxies, user);
  const asked = modeOf(parameters) ?? mode;
  const format = negotiate(raw.headers.accept);
  const showsEnds = asked === 'timed' && format.kind === 'protobuf';
  return {
    mode: asked,
    format,
    showsEnds,
    once: isOnce(parameters, raw.headers['user-agent']) ? (showsEnds ? 'samples' : 'events') : undefined,
    peek: flagOf(parameters, 'peek'),
    without: withoutOf(parameters),
    identity: await withLastingName(identity, nameOf),
  };
}

async function scrape(
  asked: Asked,
  { raw }: FastifyRequest,
  reply: FastifyReply,
  parts: Making,
): Promise<FastifyReply> {
  const { identity, mode, format, without, showsEnds, once } = asked;
  const { scrapes, connections, clock, answers } = parts;
  const requestedAt = clock();
  const memory = answers.open(reply.raw);
  const timeoutMs = announcedTimeoutMs(raw.headers['x-prometheus-scrape-timeout-seconds']);
  const { runs, offerId } = await scrapes.scrape({
    identity,
    mode,
    requestedAt,
    timeoutMs,
    closes: announcesClose(raw),
    format: format.version === undefined ? format.kind : `${format.kind} ${format.version}`,
    showsEnds,
    once,
    connection: connections.idOf(raw),
    throughProxy: PROXY_HEADERS.some((name) => raw.headers[name] !== undefined),
    memory,
    isVariable: identity.isVariable === true,
    addedBytes: addedBytes(without),
  });
  let body: Encoded;
  try {
    body = await bodyOf(runs, asked, raw.headers['accept-encoding'], parts);
  } catch (error) {
    if (offerId !== undefined) scrapes.observe(identity.id, offerId, 'closed');
    throw error;
  }
  hold(body, memory, reply, parts);
  if (offerId === undefined) return send(reply, format, body);
  const offer = { scraperId: identity.id, offerId, requestedAt, timeoutMs };
  connections.carry(raw, reply.raw, offer, () => void send(reply, format, body));
  return reply;
}

async function peek(
  asked: Asked,
  { raw }: FastifyRequest,
  reply: FastifyReply,
  parts: Making,
): Promise<FastifyReply> {
  const { identity, mode, format, without, once } = asked;
  const memory = parts.answers.open(reply.raw);
  parts.answers.takeToLook(memory, parts.bytesMax);
  const runs = await parts.scrapes.peek(identity, mode, memory, addedBytes(without), once);
  const body = await bodyOf(runs, asked, raw.headers['accept-encoding'], parts);
  hold(body, memory, reply, parts);
  return send(reply, format, body);
}

/** From here on only the body itself is held, for as long as it takes to leave. */
function hold({ parts, size }: Encoded, memory: Claim, { raw }: FastifyReply, { answers }: Making): void {
  memory[Symbol.dispose]();
  if (size > JOINED_BYTES_MAX) answers.hold(raw, parts);
}

async function bodyOf(
  runs: readonly Run[],
  { mode, format, without }: Asked,
  acceptEncoding: string | string[] | undefined,
  { ownMetrics, renderer, compressor }: Making,
): Promise<Encoded> {
  const pieces = await inSteps(
    renderer.render(format, runs, await ownMetrics(), { timed: mode === 'timed', without }),
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
