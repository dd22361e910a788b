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
  readonly #address: string;
  readonly #clock: Clock;
  readonly #elapsed: Monotonic;
  readonly #news: SinkNews;
  readonly #refusals: { readonly series: string; readonly at: Millis; readonly why: string }[] = [];
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

  fellBack(): void {
    this.version = '1.0';
    this.#news.sinkFallsBack(this.name);
  }
}

function addTo(counts: Map<string, number>, code: string): void {
  const key = counts.has(code) || counts.size < CODES_MAX ? code : 'other';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
