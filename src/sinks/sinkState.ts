import type { SinkStatus } from '../delivery/overview.ts';
import type { Clock, Millis, Monotonic } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';
import type { Answer, Version } from './answer.ts';

/** Hears what is worth a line in the server's log. */
export interface SinkNews {
  sinkFailing(sink: string, why: string): void;
  sinkRecovered(sink: string, failedMs: number): void;
  sinkRefused(sink: string, series: SeriesText | undefined, why: string): void;
  sinkFallsBack(sink: string): void;
  /** The server's own metrics don't get there; undefined: they do again. */
  sinkLacksOwnMetrics(sink: string, why: string | undefined): void;
}

/** Refused events that are shown, the latest ones. */
const REFUSALS_MAX = 5;
/** Codes that are counted apart; a receiver that makes up others is counted under the last one. */
const CODES_MAX = 30;

/** How a sink is doing: what is counted of it since the start, and what is shown. */
export class SinkState {
  readonly name: string;
  /** Requests by the status of their answer, or `none`. */
  readonly requests = new Map<string, number>();
  /** Refused events by the status of the answer. */
  readonly refused = new Map<string, number>();
  /** Entries that it doesn't select. */
  passedOver = 0;
  /** Requests that were sent again, since the one before was not answered, or not taken. */
  retries = 0;
  version: Version;
  /** Whether the receiver has shown that it understands 2.0. */
  isProven = false;
  /** Whether the server's own metrics were stored each time they were to be sent; undefined where they aren't sent. */
  own: { stored: number; failed: number } | undefined;
  readonly #address: string;
  readonly #clock: Clock;
  readonly #elapsed: Monotonic;
  readonly #news: SinkNews;
  readonly #refusals: { readonly series: string; readonly at: Millis; readonly why: string }[] = [];
  #ownFailure: string | undefined;
  #lastSuccess: Millis | undefined;
  #failure: { readonly since: number; readonly at: Millis; why: string } | undefined;

  constructor(
    name: string,
    url: URL,
    version: Version,
    { clock, elapsed, news }: { clock: Clock; elapsed: Monotonic; news: SinkNews },
  ) {
    this.name = name;
    this.version = version;
    // What stands behind a question mark may be a secret.
    this.#address = url.origin + url.pathname;
    this.#clock = clock;
    this.#elapsed = elapsed;
    this.#news = news;
  }

  /** When the receiver took something last, in ms since the Unix epoch; 0 for never. */
  get lastSuccess(): number {
    return this.#lastSuccess ?? 0;
  }

  /** For how long it has taken nothing that it should, in ms. */
  get failingMs(): number {
    return this.#failure === undefined ? 0 : this.#elapsed() - this.#failure.since;
  }

  get status(): SinkStatus {
    return {
      url: this.#address,
      protocol: this.version,
      ...(this.#lastSuccess !== undefined && { lastSuccess: this.#lastSuccess }),
      ...(this.#failure !== undefined && { failing: { since: this.#failure.at, why: this.#failure.why } }),
      ...(this.#ownFailure !== undefined && { ownMetricsFailing: this.#ownFailure }),
      refused: [...this.refused.values()].reduce((sum, count) => sum + count, 0),
      refusals: [...this.#refusals],
    };
  }

  answered(answer: Answer): void {
    addTo(this.requests, answer.kind === 'none' ? 'none' : String(answer.status));
  }

  stored(): void {
    this.#lastSuccess = this.#clock();
    this.#isThere();
  }

  #isThere(): void {
    if (this.#failure === undefined) return;
    this.#news.sinkRecovered(this.name, this.failingMs);
    this.#failure = undefined;
  }

  failed(why: string): void {
    if (this.#failure === undefined) {
      this.#failure = { since: this.#elapsed(), at: this.#clock(), why };
      this.#news.sinkFailing(this.name, why);
    } else this.#failure.why = why;
  }

  /** The receiver answers, though it refuses: it isn't away. */
  dropped(series: SeriesText | undefined, status: number, why: string): void {
    addTo(this.refused, String(status));
    this.#isThere();
    this.#refusals.push({ series: series ?? '', at: this.#clock(), why });
    if (this.#refusals.length > REFUSALS_MAX) this.#refusals.shift();
    this.#news.sinkRefused(this.name, series, why);
  }

  /** The server's own metrics were stored, or not. */
  ownSent(why?: string): void {
    this.own ??= { stored: 0, failed: 0 };
    this.own[why === undefined ? 'stored' : 'failed'] += 1;
    if ((why === undefined) !== (this.#ownFailure === undefined))
      this.#news.sinkLacksOwnMetrics(this.name, why);
    this.#ownFailure = why;
  }

  /** Idempotent, since events and own metrics may find it out at the same time. */
  fellBack(): void {
    if (this.version === '1.0') return;
    this.version = '1.0';
    this.#news.sinkFallsBack(this.name);
  }
}

function addTo(counts: Map<string, number>, code: string): void {
  const key = counts.has(code) || counts.size < CODES_MAX ? code : 'other';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
