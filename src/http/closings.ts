/** Why this side closed a connection before its client was done with it. */
export type CloseReason =
  'connections_max' | 'client_max' | 'descriptors' | 'stalled' | 'memory' | 'pipelined';

/** Hears of each connection that was closed; `client` is its address, where that is known. */
export type CloseNews = (reason: CloseReason, client: string | undefined) => void;

/** Counts the connections that were closed for want of places, or of progress, and tells of them. */
export class Closings {
  readonly counts: Record<CloseReason, number> = {
    connections_max: 0,
    client_max: 0,
    descriptors: 0,
    stalled: 0,
    memory: 0,
    pipelined: 0,
  };
  readonly #news: CloseNews;

  constructor(news: CloseNews) {
    this.#news = news;
  }

  count(reason: CloseReason, client: string | undefined): void {
    this.counts[reason] += 1;
    this.#news(reason, client);
  }
}
