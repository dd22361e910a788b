import type { Answer } from './answer.ts';
import { judge, objectIn } from './answer.ts';
import type { Credentials } from './authorization.ts';
import { authorization } from './authorization.ts';
import type { Delivery, EventReceipt, ScraperState, WaitOptions } from './delivery.ts';
import { WAIT_MS, clashesWithWait, waitRequest } from './delivery.ts';
import { endpoint } from './endpoint.ts';
import { ANSWER_CHARACTERS_MAX, readText, whyNot } from './exchange.ts';
import type { NewEvent, SealedEvent, SealedForm, SealedJson } from './event.ts';
import { seal, sealJson } from './event.ts';
import type { Platform } from './platform.ts';
import { RUNTIME } from './platform.ts';
import { PushError } from './pushError.ts';
import type { QueueOptions } from './queue.ts';
import { EventQueue } from './queue.ts';
import type { RetryLimits } from './retry.ts';
import { RETRY, delayAfter } from './retry.ts';

export type {
  Credentials,
  Delivery,
  EventQueue,
  EventReceipt,
  NewEvent,
  Platform,
  QueueOptions,
  RetryLimits,
  ScraperState,
  SealedEvent,
  WaitOptions,
};
export { PushError };

export interface ClientOptions extends Credentials {
  /** Where the server is: `http://localhost:8090`. It may have a path, behind a proxy. */
  readonly url: string;
  /** What differs from the defaults: 10 attempts of 10 s each within 30 s, waits from 200 ms up to 5 s. */
  readonly retry?: Partial<RetryLimits> | undefined;
  /** Parts of the runtime to use in place of its own. */
  readonly platform?: Partial<Platform> | undefined;
  /** Told before each wait. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

/** An attempt that failed, and when the next one comes. */
export interface Retry {
  readonly attempt: number;
  readonly delayMs: number;
  readonly message: string;
}

export interface SendOptions {
  /** Ends the sending. The promise rejects with the signal's reason; the event may have been stored or not. */
  readonly signal?: AbortSignal | undefined;
  /** In place of the client's `retry.totalMs`. */
  readonly totalMs?: number | undefined;
  /** Once the server has the event, wait until it is delivered: `{}` for a minute, and for all scrapers. */
  readonly wait?: WaitOptions | undefined;
}

/** The server has the event on disk. */
export interface Receipt {
  readonly id: string;
  /** The time that was sent, in ms since the Unix epoch. */
  readonly time: number;
  /** The server had it already: an earlier attempt had arrived. */
  readonly duplicate: boolean;
  readonly attempts: number;
  /** Whether it was delivered in time; where that was waited for. */
  readonly delivery?: Delivery;
}

/** A wait that ends sooner than this did not wait, in ms. */
const QUICK_MS = 1_000;

/** Posts events to a server. One id and one time for all attempts at an event: a retry is never a second event. */
export class OneShotClient {
  readonly #server: string;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #retry: RetryLimits;
  readonly #platform: Platform;
  readonly #onRetry: (retry: Retry) => void;

  /** Throws a TypeError for a `url` that is none, or not http(s), or that holds credentials, and for a token that can't be in a header. */
  constructor({ url, token, user, retry, platform, onRetry }: ClientOptions) {
    this.#server = url;
    this.#url = endpoint(url, 'event').href;
    this.#headers = {
      ...authorization({ token, user }),
      accept: 'application/json',
    };
    this.#retry = { ...RETRY, ...retry };
    this.#platform = { ...RUNTIME, ...platform };
    this.#onRetry = onRetry ?? (() => undefined);
  }

  /** Fixes an event's id and time, for `send`. Throws a PushError (`invalid`). */
  seal(event: NewEvent): SealedForm {
    return seal(event, this.#platform);
  }

  /** Fixes the id and the time of an event that is written as one JSON object, for `send`; its text is sent as it is. Throws a PushError (`invalid`). */
  sealJson(json: string, labels: Readonly<Record<string, string>> = {}): SealedJson {
    return sealJson(json, labels, this.#platform);
  }

  /** Seals and sends an event. Resolves once the server has it on disk. Rejects with a PushError, or with the signal's reason. */
  async push(event: NewEvent, options: SendOptions = {}): Promise<Receipt> {
    return this.send(this.seal(event), options);
  }

  /** Sends a sealed event, for the first time or again. Resolves and rejects as `push`. */
  async send(
    event: SealedEvent,
    { signal, totalMs = this.#retry.totalMs, wait }: SendOptions = {},
  ): Promise<Receipt> {
    const { elapsed, random, sleep } = this.#platform;
    if (wait !== undefined) checkWait(event);
    const deadline = elapsed() + totalMs;
    for (let attempt = 1; ; attempt += 1) {
      const left = Math.max(1, deadline - elapsed());
      const answer = await this.#attempt(event, Math.min(this.#retry.attemptMs, left), signal);
      if (answer.kind === 'accepted') {
        const receipt = { id: event.id, time: event.time, duplicate: answer.duplicate, attempts: attempt };
        return wait === undefined
          ? receipt
          : { ...receipt, delivery: await this.delivery(event, wait, { signal }) };
      }
      if (answer.kind !== 'unavailable') throw failure(answer);
      const delayMs = delayAfter(attempt, answer.retryAfterMs, this.#retry, random);
      if (attempt >= this.#retry.attemptsMax || elapsed() + delayMs >= deadline)
        throw failure(answer, attempt);
      this.#onRetry({ attempt, delayMs, message: answer.message });
      await sleep(delayMs, signal);
    }
  }

  /**
   * Waits until an event that the server has is delivered, or the time is over; `push` and `send` with `wait` do so by themselves. It posts the event
   * again, which stores nothing: the server knows its id. Rejects as `push` where nobody can wait for it; the server has it all the same.
   */
  async delivery(
    event: SealedEvent,
    wait: WaitOptions = {},
    { signal }: Pick<SendOptions, 'signal'> = {},
  ): Promise<Delivery> {
    checkWait(event);
    const { elapsed, random, sleep } = this.#platform;
    const deadline = elapsed() + (wait.timeoutMs ?? WAIT_MS);
    let latest: Delivery = { delivered: false, scrapers: [] };
    for (let failures = 0; ;) {
      const began = elapsed();
      const round = waitRequest(wait, deadline - began);
      const timeoutMs = this.#retry.attemptMs + round.seconds * 1000;
      const answer = await this.#attempt(event, timeoutMs, signal, round);
      let retryAfterMs: number | undefined;
      if (answer.kind === 'accepted') {
        const { waited } = answer;
        if (waited === undefined)
          throw new PushError('denied', "the server can't wait for delivery; it is too old", {
            status: answer.status,
          });
        latest = waited.delivery;
        if (waited.isFinal || elapsed() >= deadline) return latest;
        ({ retryAfterMs } = waited);
        // Who is turned away at once, for whatever reason, must not come again at once.
        const isQuick = elapsed() - began < QUICK_MS;
        failures = retryAfterMs === undefined && !isQuick ? 0 : failures + 1;
        if (failures === 0) continue;
      } else if (answer.kind === 'unavailable') {
        latest = { ...latest, message: answer.message };
        ({ retryAfterMs } = answer);
        failures += 1;
      } else throw failure(answer);
      const delayMs = delayAfter(failures, retryAfterMs, this.#retry, random);
      if (elapsed() + delayMs >= deadline) return latest;
      await sleep(delayMs, signal);
    }
  }

  /**
   * Where an event is, by its id or what stands for it; undefined where the server knows no such event. Rejects with a PushError, or with the
   * signal's reason.
   */
  async receipt(id: string, { signal }: Pick<SendOptions, 'signal'> = {}): Promise<EventReceipt | undefined> {
    const url = endpoint(this.#server, `api/v1/events/${encodeURIComponent(id)}`).href;
    const answer = await this.#fetch(
      url,
      { method: 'GET', headers: this.#headers },
      this.#retry.attemptMs,
      signal,
    );
    if (answer.status === undefined) throw new PushError('unavailable', answer.message);
    const { status, body } = answer;
    const said = objectIn(body);
    if (status === 200 && Array.isArray(said['scrapers'])) return said as unknown as EventReceipt;
    if (status === 404 && said['field'] === 'id') return undefined;
    const judged = judge(status, body, answer.retryAfter, this.#platform.now());
    if (judged.kind !== 'accepted') throw failure({ ...judged, status });
    throw new PushError(
      'denied',
      "the answer doesn't look like one from oneShotMetricsServer; check the address",
      {
        status,
      },
    );
  }

  /** A queue that sends events in the background, one after another. */
  queue(options: QueueOptions = {}): EventQueue {
    return new EventQueue(this, this.#platform, options);
  }

  async #attempt(
    event: SealedEvent,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    wait?: ReturnType<typeof waitRequest>,
  ): Promise<Sent> {
    const { query, ...request } = requestOf(event);
    const all = [query, wait?.query ?? ''].filter((part) => part !== '').join('&');
    const answer = await this.#fetch(
      all === '' ? this.#url : `${this.#url}?${all}`,
      {
        method: 'POST',
        headers: {
          ...this.#headers,
          ...request.headers,
          ...(wait !== undefined && { prefer: `wait=${wait.seconds}` }),
        },
        body: request.body,
      },
      timeoutMs,
      signal,
    );
    const { status } = answer;
    if (status === undefined)
      return { kind: 'unavailable', status, message: answer.message, retryAfterMs: undefined };
    return { status, ...judge(status, answer.body, answer.retryAfter, this.#platform.now()) };
  }

  async #fetch(
    url: string,
    init: RequestInit,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Fetched> {
    signal?.throwIfAborted();
    // Not AbortSignal.any, which Node 18 does not have.
    const ending = new AbortController();
    const abort = () => ending.abort();
    signal?.addEventListener('abort', abort, { once: true });
    const answered = new AbortController();
    this.#platform.sleep(timeoutMs, answered.signal).then(abort, () => undefined);
    try {
      const response = await this.#platform.fetch(url, {
        ...init,
        signal: ending.signal,
        // A redirected POST may become a GET, which would store nothing.
        redirect: 'manual',
      });
      const { status } = response;
      const body = (await readText(response, ANSWER_CHARACTERS_MAX)) ?? '';
      return { status, body, retryAfter: response.headers.get('retry-after') };
    } catch (error) {
      signal?.throwIfAborted();
      const message = ending.signal.aborted ? `no answer within ${timeoutMs} ms` : whyNot(error, url);
      return { status: undefined, message };
    } finally {
      answered.abort();
      signal?.removeEventListener('abort', abort);
    }
  }
}

/** What came of a request, or why nothing did. */
type Fetched =
  | { readonly status: number; readonly body: string; readonly retryAfter: string | null }
  | { readonly status: undefined; readonly message: string };

/** Throws a PushError (`invalid`) for an event with labels in its URL that would say how to wait. */
function checkWait(event: SealedEvent): void {
  const clash = 'query' in event ? clashesWithWait(event.query) : undefined;
  if (clash !== undefined)
    throw new PushError(
      'invalid',
      `the label ${clash} can't be added to JSON that is waited for; put it into the JSON`,
      {
        field: clash,
      },
    );
}

/** An answer, with its status where one came. */
type Sent = Answer & { readonly status: number | undefined };

/** What is posted of an event. */
function requestOf(event: SealedEvent) {
  const key = { 'idempotency-key': quoted(event.id) };
  if ('form' in event)
    return {
      query: '',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...key },
      body: event.form,
    };
  return {
    query: event.query,
    headers: { 'content-type': 'application/json', ...(!event.hasOwnId && key) },
    body: event.json,
  };
}

/** As the header's draft standard has it, so that an id in quotes of its own stays what it is: https://www.rfc-editor.org/rfc/rfc9651#section-3.3.3 */
function quoted(id: string): string {
  return `"${id.replaceAll(/["\\]/g, '\\$&')}"`;
}

function failure(answer: Exclude<Sent, { kind: 'accepted' }>, attempts = 1): PushError {
  const { kind, message, status } = answer;
  if (kind !== 'unavailable') return new PushError(kind, message, { status, field: answer.field });
  return new PushError(kind, attempts === 1 ? message : `${message} (after ${attempts} attempts)`, {
    status,
  });
}
