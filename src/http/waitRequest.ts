import type { IncomingMessage } from 'node:http';
import { parseGoDuration } from '../access/goDuration.ts';
import { RefusedError, shown } from '../core/errors.ts';
import { parseForm } from '../read/form.ts';
import type { Pairs } from './eventBody.ts';
import { namedId } from './identify.ts';
import { queryOf } from './query.ts';

/** The parameters of a URL that say how long a post waits, and for whom. They are labels where there is no `wait` in the URL. */
const WAIT = 'wait';
const TIMEOUT = 'timeout';
const TO = 'to';
const CONTROLS: ReadonlySet<string> = new Set([WAIT, TIMEOUT, TO]);

/** The only value of `wait`. */
const DELIVERED = 'delivered';

/** A name that is `wait` once it is decoded. */
const MAY_WAIT = /(?:^|&)(?:w|%77)(?:a|%61)(?:i|%69)(?:t|%74)(?:[=&]|$)/;

/** https://www.rfc-editor.org/rfc/rfc7240#section-4.3 */
const PREFERENCE = /(?:^|,)\s*wait\s*=\s*"?(\d+)"?\s*(?=[,;]|$)/i;

const TIMEOUT_MS = 60_000;
/** How many scrapers a post may name. */
const TO_MAX = 100;

/** That a post waits until its events are delivered. */
export interface WaitRequest {
  readonly timeoutMs: number;
  /** The scrapers it names; undefined for all. */
  readonly of: readonly string[] | undefined;
  /** The parameters of the URL that are left: those of the events. */
  readonly url: Pairs;
  /** Seconds of the `Prefer` header that are granted. */
  readonly preferred: number | undefined;
}

export interface WaitRules {
  readonly pairsMax: number;
  readonly timeoutMaxMs: number;
}

/** Whether a URL's query, without its `?`, may ask for a wait. Cheap, and never wrong where it says no. */
export function mayWait(query: string): boolean {
  return MAY_WAIT.test(query);
}

/**
 * Whether a post waits, and how: by the parameter `wait` in its URL, or the preference of that name. Undefined for most posts. With the parameter,
 * `timeout` and `to` in the URL are no labels either; in a form's body they always are. Throws a RefusedError.
 */
export function waitRequestOf(
  request: IncomingMessage,
  { pairsMax, timeoutMaxMs }: WaitRules,
): WaitRequest | undefined {
  const query = queryOf(request);
  const { prefer } = request.headers;
  if (prefer === undefined && !mayWait(query)) return undefined;
  const url = parseForm('url', query, pairsMax);
  const seconds = PREFERENCE.exec(String(prefer ?? ''))?.[1];
  const granted =
    seconds === undefined ? undefined : Math.min(Number(seconds), Math.floor(timeoutMaxMs / 1000));
  if (!url.some(([name]) => name === WAIT)) {
    if (granted === undefined) return undefined;
    return { timeoutMs: granted * 1000, of: undefined, url, preferred: granted };
  }
  const wait = once(url, WAIT);
  if (wait !== DELIVERED)
    throw new RefusedError(
      WAIT,
      `${WAIT} ${shown(wait ?? '')} must be ${DELIVERED}; a label of this name can be in a form or JSON body, but not in the URL`,
    );
  const timeout = once(url, TIMEOUT);
  const isPreferred = timeout === undefined && granted !== undefined;
  return {
    timeoutMs: isPreferred ? granted * 1000 : timeoutOf(timeout, timeoutMaxMs),
    of: scrapersIn(url),
    url: url.filter(([name]) => !CONTROLS.has(name)),
    preferred: isPreferred ? granted : undefined,
  };
}

function once(url: Pairs, wanted: string): string | undefined {
  const [given, more] = url.filter(([name]) => name === wanted);
  if (more !== undefined)
    throw new RefusedError(wanted, `the parameter ${wanted} appears more than once; use it once`);
  return given?.[1];
}

function timeoutOf(text: string | undefined, maxMs: number): number {
  if (text === undefined) return Math.min(TIMEOUT_MS, maxMs);
  // Seconds, as in the preference.
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : parseGoDuration(text);
  if (ms !== undefined && ms >= 0 && ms <= maxMs) return Math.ceil(ms);
  throw new RefusedError(
    TIMEOUT,
    `${TIMEOUT} ${shown(text)} must be a duration such as 60s, up to ${maxMs / 1000}s; for longer, raise wait.timeoutMax, or post again with the same id`,
  );
}

function scrapersIn(url: Pairs): readonly string[] | undefined {
  const given = url.filter(([name]) => name === TO);
  if (given.length === 0) return undefined;
  const names = given.flatMap(([, value]) => value.split(',')).map((name) => name.trim());
  if (names.includes(''))
    throw new RefusedError(
      TO,
      `${TO} has an empty name; is a variable not set? Write ${TO}=prometheus-a,prometheus-b, or leave it out for all`,
    );
  const ids = new Set(names.map((name) => namedId(TO, name)));
  if (ids.size > TO_MAX)
    throw new RefusedError(
      TO,
      `${TO} names more than ${TO_MAX} scrapers; name fewer, or leave it out for all`,
    );
  return [...ids];
}
