import { areDelivered } from '../core/fate.ts';
import type { Share } from '../core/memory.ts';
import type { Ranges } from '../core/range.ts';
import { range, size, without } from '../core/range.ts';
import type { DeliveryWaits, WaitEnd } from '../delivery/deliveryWaits.ts';
import type { Receipts } from '../delivery/receipts.ts';
import type { Whereabouts } from '../intake/whereabouts.ts';
import { holdHead } from './bodyMemory.ts';
import { ClientPlaces } from './clientPlaces.ts';
import type { Exchange } from './exchange.ts';
import { fateJson } from './fateJson.ts';
import type { IngestReply } from './ingestReply.ts';
import type { WaitRequest } from './waitRequest.ts';
import { whenClosed } from './whenClosed.ts';

export interface WaitParts {
  readonly waits: DeliveryWaits;
  readonly receipts: Receipts;
  /** What waiting requests take is a part of it. */
  readonly bodies: Share;
  readonly timeoutMaxMs: number;
  /** How many posts of one client may wait. */
  readonly clientMax: number;
}

/** Why a post was answered. `clientFull`: as many of its client wait as may. */
type End = WaitEnd | 'clientFull' | 'unknown';

/** Events that lie in more parts of the log are waited for together with what is between them: each change of a position looks at all parts. */
const RANGES_MAX = 100;

/** For who was turned away since others wait, in seconds. */
const RETRY_AFTER_SECONDS = 5;

const MESSAGES: Readonly<Record<End | 'nobody', string>> = {
  settled: 'stored, but not every scraper gets it as it is; see scrapers',
  timeout: 'stored, but not delivered to every scraper in time; see scrapers',
  nobody: 'stored, but no scraper with an id of its own came in time',
  stopping: 'stored, but the server is stopping; post it again with the same id to go on waiting',
  full: 'stored, but as many posts as wait.postsMax or memory.max allow are waiting already; post it again with the same id to wait',
  clientFull:
    'stored, but half of wait.postsMax are waiting for your address already; post it again with the same id to wait',
  gone: 'stored, but the client closed its connection',
  unknown: "stored, but it isn't known where in the log all of its events are",
};

/** Answers posts once their events are delivered, or their time is over. */
export class WaitingPosts {
  readonly #parts: WaitParts;
  readonly #places: ClientPlaces;

  constructor(parts: WaitParts) {
    this.#parts = parts;
    this.#places = new ClientPlaces(parts.clientMax);
  }

  /** Answers a post whose events are stored: 200 once each scraper has them, 202 if that is not so in time. What was refused is answered at once. */
  async answer(
    exchange: Exchange,
    stored: IngestReply,
    { ranges, isComplete }: Whereabouts,
    wait: WaitRequest,
  ): Promise<void> {
    if (wait.preferred !== undefined) exchange.header('Preference-Applied', `wait=${wait.preferred}`);
    if (stored.retryAfterSeconds !== undefined)
      exchange.header('Retry-After', String(stored.retryAfterSeconds));
    if (stored.status !== 200 || (ranges.length === 0 && isComplete)) {
      exchange.status(stored.status).json(stored.body);
      return;
    }
    const { receipts, waits } = this.#parts;
    const of = wait.of === undefined ? undefined : waits.idsOf(wait.of);
    const passed = await receipts.notSelected(ranges);
    const meant = new Map([...passed].map(([id, gone]) => [id, fewOf(without(ranges, gone))]));
    const awaited = { ranges: fewOf(ranges), of, meant };
    const end = isComplete ? await this.#wait(exchange, awaited, wait.timeoutMs) : 'unknown';
    const fates = receipts.fates(ranges, passed, of ?? waits.lasting(awaited));
    const isDelivered =
      isComplete &&
      fates.length > 0 &&
      fates.every((each) => each.identifiedBy !== undefined && areDelivered(each.fates));
    const why = end === 'timeout' && fates.length === 0 ? 'nobody' : end;
    const ended = end === 'clientFull' ? 'full' : end;
    if (ended === 'full' || ended === 'stopping') exchange.header('Retry-After', String(RETRY_AFTER_SECONDS));
    const isSeveral = size(ranges) > 1;
    exchange.status(isDelivered ? 200 : 202).json({
      ...stored.body,
      delivered: isDelivered,
      ...(!isDelivered && { ended, message: MESSAGES[why] }),
      scrapers: fates.map((fate) => fateJson(fate, isSeveral)),
    });
  }

  async #wait(
    exchange: Exchange,
    awaited: Parameters<DeliveryWaits['begin']>[0],
    timeoutMs: number,
  ): Promise<End> {
    const { waits, bodies } = this.#parts;
    using place = this.#places.take(exchange.client);
    if (place === undefined) return 'clientFull';
    if (!holdHead(exchange, bodies)) return 'full';
    const { ended, cancel } = waits.begin(awaited, timeoutMs);
    const { request, response } = exchange;
    const { socket } = request;
    // Each of those that are pipelined on it listens.
    socket.setMaxListeners(0);
    // Who ended only its own side reads on, and is answered now; who went away can't be told from it before that.
    if (socket.readableEnded) cancel();
    socket.once('end', cancel);
    whenClosed(response, cancel);
    const end = await ended;
    socket.off('end', cancel);
    return end;
  }
}

/** All of some ranges, and perhaps what is between them. */
function fewOf(ranges: Ranges): Ranges {
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (first === undefined || last === undefined || ranges.length <= RANGES_MAX) return ranges;
  return range(first.after, last.upTo);
}
