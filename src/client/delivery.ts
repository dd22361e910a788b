/** What one scraper has of an event, in the server's words: `waiting`, `onItsWay`, `delivered`, `deliveredWithoutProof`, `dropped`, … */
export interface ScraperState {
  readonly id: string;
  readonly state: string;
  /** Why it was dropped. */
  readonly reason?: string;
  /** What the state means, if its name does not say it. */
  readonly message?: string;
}

/** Whether an event that the server has is where it should be. */
export interface Delivery {
  readonly delivered: boolean;
  /** Why it isn't. */
  readonly message?: string | undefined;
  /** Those that were waited for. */
  readonly scrapers: readonly ScraperState[];
}

/** Where an event is. */
export interface EventReceipt {
  readonly id: string;
  /** The event as the server shows it; absent where the id is that of a request with several. */
  readonly event?: Readonly<Record<string, unknown>>;
  /** Which entries of the log a request with several events stored. */
  readonly entries?: { readonly first: number; readonly last: number; readonly count: number };
  readonly scrapers: readonly ScraperState[];
}

/** How to wait for delivery. */
export interface WaitOptions {
  /** How long, in ms, from when the server has the event. 60,000 without it. */
  readonly timeoutMs?: number | undefined;
  /** The scrapers that are to have it, known or not; without it all that the server knows by an id of their own. */
  readonly to?: readonly string[] | undefined;
}

/** How long is waited where nothing is said, in ms. */
export const WAIT_MS = 60_000;
/** One request waits no longer, in seconds: many proxies cut what is silent for a minute. */
const ROUND_SECONDS_MAX = 50;

/** Parameters of the URL that say how a post waits. In the URL of such a post they are no labels. */
const CONTROLS = ['wait', 'timeout', 'to'];

/** What a post adds to its request to wait, for so many ms at most. */
export function waitRequest(
  { to }: WaitOptions,
  leftMs: number,
): { readonly query: string; readonly seconds: number } {
  const seconds = Math.max(0, Math.min(ROUND_SECONDS_MAX, Math.ceil(leftMs / 1000)));
  const named = to === undefined ? '' : `&to=${encodeURIComponent(to.join(','))}`;
  return { query: `wait=delivered${named}`, seconds };
}

/** Whether labels in a URL would be taken for how to wait. */
export function clashesWithWait(query: string): string | undefined {
  const names = new Set(query.split('&').map((pair) => pair.split('=', 1)[0]));
  return CONTROLS.find((name) => names.has(name));
}

/** What an answer tells of the delivery; undefined where it says nothing of it. */
export function deliveryIn({
  delivered,
  message,
  scrapers,
}: Readonly<Record<string, unknown>>): Delivery | undefined {
  if (typeof delivered !== 'boolean' || !Array.isArray(scrapers)) return undefined;
  return {
    delivered,
    ...(typeof message === 'string' && { message }),
    scrapers: scrapers as readonly ScraperState[],
  };
}

/** Whether to ask again would change nothing: all is settled, or can't be told. */
export function isFinal(ended: unknown): boolean {
  return ended !== 'timeout' && ended !== 'full' && ended !== 'stopping' && ended !== 'gone';
}
