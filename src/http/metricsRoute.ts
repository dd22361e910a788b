import type { IncomingMessage } from 'node:http';
import type { Once } from '../delivery/collapse.ts';
import { RefusedError } from '../core/errors.ts';
import type { Share } from '../core/memory.ts';
import type { Clock, Monotonic } from '../core/millis.ts';
import type { Run } from '../core/run.ts';
import type { Mode } from '../core/position.ts';
import { TIMEOUT_MS_MAX } from '../core/position.ts';
import type { Scrapes } from '../delivery/scrape.ts';
import type { FamilyGroup } from '../render/families.ts';
import type { Format } from '../render/negotiate.ts';
import { Renderer } from '../render/render.ts';
import type { AnswerMemory } from './answerMemory.ts';
import type { ForeignPages } from './browsers/pages.ts';
import { isNavigation, isShown } from './browsers/pages.ts';
import type { Encoded } from './compress.ts';
import { Compressor, takesGzip } from './compress.ts';
import type { Connections } from './connections.ts';
import type { Prepared } from './emptyAnswers.ts';
import { EmptyAnswers, prepared, sendPrepared } from './emptyAnswers.ts';
import { Formats } from './formats.ts';
import type { LoopTurns } from './loopTurns.ts';
import { ClientTurns } from './clientTurns.ts';
import type { NameOfAddress } from './identify.ts';
import { identify, withLastingName } from './identify.ts';
import type { TrustedProxies } from './proxies.ts';
import type { Handler } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import { RenderAhead } from './renderAhead.ts';
import { flagOf, parametersOf } from './query.ts';
import { holdParts, sendParts } from './sendParts.ts';
import { addedBytes, withoutOf } from './withoutParameter.ts';
import type { Timestamps } from './scrapeParameters.ts';
import { isOnce, modeOf } from './scrapeParameters.ts';

export interface MetricsRouteParts {
  readonly scrapes: Scrapes;
  readonly connections: Connections;
  readonly proxies: TrustedProxies;
  readonly foreignPages: ForeignPages;
  readonly clock: Clock;
  readonly elapsed: Monotonic;
  /** How samples are timed for a scraper that does not say. */
  readonly timestamps: Timestamps;
  /** Whether a scraper's place is bound to the user who scrapes. */
  readonly byUser: boolean;
  readonly nameOf: NameOfAddress;
  /** What is rendered for all scrapers may take this. */
  readonly rendered: Share;
  readonly answers: AnswerMemory;
  /** The turns of those who only look, as for the feed. */
  readonly looks: ClientTurns;
  /** What a scrape carries of events at most, in bytes. */
  readonly bytesMax: number;
  /** Whether events may be given now: of several servers one gives them, and for no longer than it leads. */
  readonly leads: () => boolean;
  /** Hears of a scrape that got no events for want of the lead. */
  readonly withheld: () => void;
  /** The server's own metrics. */
  readonly ownMetrics: () => readonly FamilyGroup[];
  readonly loop: LoopTurns;
}

/** What is said to a browser, where nothing was taken though `peek=true` was not asked for. */
const SHOWN =
  'Shown in a browser, so nothing was consumed: scrapers still get these events. A scrape is a GET by a program other than a browser.';

/** By any of these an HTTP proxy shows itself. */
const PROXY_HEADERS = ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'];

/** The handlers of `/metrics`: what this scraper has not had, and the server's own metrics. HEAD and `peek=true` consume nothing. */
export interface MetricsHandlers {
  readonly get: Handler;
  readonly head: Handler;
  /** Renders nothing ahead any more. */
  readonly stop: () => void;
}

export function metricsHandlers(given: MetricsRouteParts): MetricsHandlers {
  const renderer = new Renderer(given.rendered);
  const compressor = new Compressor();
  const ahead = new RenderAhead({ ...given, renderer, compressor });
  const parts = {
    ...given,
    renderer,
    compressor,
    ahead,
    emptyAnswers: new EmptyAnswers(given.ownMetrics),
    formats: new Formats(),
    turns: new ClientTurns(),
  };
  return {
    get: async (exchange) => {
      const { headers } = exchange.request;
      const asked = await readRequest(exchange, parts);
      if (!parts.leads()) {
        if (!asked.peek) parts.withheld();
        parts.connections.scraped(exchange.request);
        return ownAlone(asked, exchange, parts);
      }
      if (asked.peek) return peek(asked, exchange, parts);
      // What a page makes a browser ask for must take nothing away; what a person opens in one is shown.
      if (!isNavigation(headers)) parts.foreignPages.check(headers);
      return isShown(headers) ? peek(asked, exchange, parts, SHOWN) : scrape(asked, exchange, parts);
    },
    head: async (exchange) => {
      const asked = await readRequest(exchange, parts);
      return parts.leads() ? peek(asked, exchange, parts) : ownAlone(asked, exchange, parts);
    },
    stop: () => ahead.stop(),
  };
}

/** What makes bodies. */
interface Making extends MetricsRouteParts {
  readonly renderer: Renderer;
  readonly compressor: Compressor;
  readonly ahead: RenderAhead;
  readonly emptyAnswers: EmptyAnswers;
  readonly formats: Formats;
  readonly turns: ClientTurns;
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
  { request, principal }: Exchange,
  { proxies, timestamps, byUser, nameOf, formats }: Making,
): Promise<Asked> {
  const parameters = parametersOf(request, ['without']);
  const user = byUser ? principal?.name : undefined;
  const identity = identify(request.socket.remoteAddress ?? '', request.headers, parameters, proxies, user);
  const format = formats.of(request.headers.accept);
  const asked = modeOf(parameters, timestamps, format);
  const showsEnds = asked === 'timed' && format.kind === 'protobuf';
  return {
    mode: asked,
    format,
    showsEnds,
    once: isOnce(parameters, request.headers['user-agent']) ? (showsEnds ? 'samples' : 'events') : undefined,
    peek: flagOf(parameters, 'peek'),
    without: withoutOf(parameters),
    identity: await withLastingName(identity, nameOf),
  };
}

async function scrape(asked: Asked, exchange: Exchange, parts: Making): Promise<void> {
  const { request, response } = exchange;
  const { identity, mode, format, without, showsEnds, once } = asked;
  const { scrapes, connections, clock, elapsed, answers } = parts;
  const requestedAt = clock();
  const askedAt = elapsed();
  const memory = answers.open(response);
  const timeoutMs = announcedTimeoutMs(request.headers['x-prometheus-scrape-timeout-seconds']);
  const { runs, offerId, next } = await scrapes.scrape({
    identity,
    mode,
    requestedAt,
    askedAt,
    timeoutMs,
    closes: announcesClose(request),
    format: format.version === undefined ? format.kind : `${format.kind} ${format.version}`,
    showsEnds,
    once,
    connection: connections.scraped(request),
    throughProxy: PROXY_HEADERS.some((name) => request.headers[name] !== undefined),
    memory,
    isVariable: identity.isVariable === true,
    addedBytes: addedBytes(without),
  });
  const acceptEncoding = acceptEncodingOf(request);
  parts.ahead.asked({ format, mode, without, gzip: takesGzip(acceptEncoding) }, next);
  if (offerId === undefined) {
    memory[Symbol.dispose]();
    await ownAlone(asked, exchange, parts);
    return;
  }
  let body: Encoded;
  try {
    body = await inTurn(exchange, parts, () => bodyOf(runs, asked, acceptEncoding, parts));
  } catch (error) {
    scrapes.observe(identity.id, offerId, 'closed');
    throw error;
  }
  // The lease may have ended while this was made. Another may give these events by now.
  if (!parts.leads()) {
    scrapes.observe(identity.id, offerId, 'closed');
    parts.withheld();
    memory[Symbol.dispose]();
    await ownAlone(asked, exchange, parts);
    return;
  }
  holdParts(body, memory, response, answers);
  const offer = { scraperId: identity.id, offerId, askedAt, timeoutMs };
  const send = () => {
    setHeaders(exchange, headersOf(format, body));
    sendParts(exchange, body);
  };
  if (!connections.carry(request, response, offer, send)) throw gone();
}

/** Answers with the server's own metrics, and without events. */
async function ownAlone({ format }: Asked, exchange: Exchange, parts: Making): Promise<void> {
  const empty = await emptyAnswer(format, acceptEncodingOf(exchange.request), parts);
  sendPrepared(exchange, empty, parts.answers);
}

function gone(): RefusedError {
  return new RefusedError(
    'connection',
    "the client closed its side of the connection before this answer, so the server can't tell whether it arrives; keep it open until you have the answer, or use peek=true",
  );
}

async function peek(asked: Asked, exchange: Exchange, parts: Making, why?: string): Promise<void> {
  const { request, response } = exchange;
  const { identity, mode, format, without, once } = asked;
  const acceptEncoding = acceptEncodingOf(request);
  // What is made is sent behind the turn.
  const sendMade = await parts.looks.take(exchange.client, async () => {
    const memory = parts.answers.open(response);
    parts.answers.takeToLook(memory, parts.bytesMax);
    const runs = await parts.scrapes.peek(identity, mode, memory, addedBytes(without), once);
    if (runs.length === 0 && why === undefined) {
      memory[Symbol.dispose]();
      const empty = await emptyAnswer(format, acceptEncoding, parts);
      return () => sendPrepared(exchange, empty, parts.answers);
    }
    if (why !== undefined) exchange.header('X-Oneshot-Note', why);
    // The other formats have no place for a remark.
    const remark = why !== undefined && format.kind === 'text' ? `# ${why}\n` : undefined;
    const body = await inTurn(exchange, parts, () => bodyOf(runs, asked, acceptEncoding, parts, remark));
    holdParts(body, memory, response, parts.answers);
    setHeaders(exchange, headersOf(format, body));
    return () => sendParts(exchange, body);
  });
  sendMade();
}

/** Makes an answer when it is its client's turn, if that still waits for it. */
function inTurn<Made>(exchange: Exchange, { turns }: Making, make: () => Promise<Made>): Promise<Made> {
  return turns.take(exchange.client, () => {
    if (exchange.response.closed) throw gone();
    return make();
  });
}

async function bodyOf(
  runs: readonly Run[],
  { mode, format, without }: Pick<Asked, 'mode' | 'format' | 'without'>,
  acceptEncoding: string,
  { ownMetrics, renderer, compressor, loop }: Making,
  remark?: string,
  own = ownMetrics(),
): Promise<Encoded> {
  const rendered = await loop.run(renderer.render(format, runs, own, { timed: mode === 'timed', without }));
  const pieces =
    remark === undefined ? rendered : [{ bytes: Buffer.from(remark), isShared: false }, ...rendered];
  return compressor.encode(pieces, acceptEncoding);
}

/** What one gets for whom there is nothing new. Whoever asks in the same way waits for the same one, so all of them are one client's. */
function emptyAnswer(format: Format, acceptEncoding: string, parts: Making): Prepared | Promise<Prepared> {
  const way = `${takesGzip(acceptEncoding) ? 'gzip' : 'plain'} ${format.contentType}`;
  return parts.emptyAnswers.of(way, (begin) =>
    parts.turns.take('', async () => {
      const body = await bodyOf(
        [],
        { mode: 'untimed', format, without: [] },
        acceptEncoding,
        parts,
        undefined,
        begin(),
      );
      return prepared(headersOf(format, body), body.parts);
    }),
  );
}

function headersOf(format: Format, { encoding }: Encoded): Readonly<Record<string, string>> {
  return {
    ...(encoding !== undefined && { 'Content-Encoding': encoding }),
    'Content-Type': format.contentType,
    Vary: 'Accept, Accept-Encoding',
    'Cache-Control': 'no-store',
  };
}

function setHeaders(exchange: Exchange, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) exchange.header(name, value);
}

const acceptEncodingOf = ({ headers }: IncomingMessage): string => headers['accept-encoding'] ?? '';

/** Whether the connection carries nothing after this request: https://www.rfc-editor.org/rfc/rfc9112#name-persistence */
function announcesClose({ headers, httpVersionMinor }: IncomingMessage): boolean {
  const options = (headers.connection ?? '').toLowerCase();
  return httpVersionMinor === 0 ? !options.includes('keep-alive') : options.includes('close');
}

/** The timeout that Prometheus announces, in ms; undefined where there is none, or none that makes sense. */
function announcedTimeoutMs(header: string | string[] | undefined): number | undefined {
  const ms = Number(header) * 1000;
  return ms > 0 && ms <= TIMEOUT_MS_MAX ? ms : undefined;
}
