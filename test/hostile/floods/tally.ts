/** What a flood sent and what it was answered, as its process reports it. */
export interface Sent {
  readonly requests: number;
  readonly bytes: number;
  /** Answers by status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Connections that ended, or could not be made, while something was under way on them. */
  readonly broken: number;
}

/** Counts. */
export class Tally {
  requests = 0;
  bytes = 0;
  broken = 0;
  answers = 0;
  readonly #answers = new Map<number, number>();

  sent(bytes: number, requests = 1): void {
    this.requests += requests;
    this.bytes += bytes;
  }

  answered(status: number): void {
    this.answers += 1;
    this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1);
  }

  report(): Sent {
    const answers = Object.fromEntries([...this.#answers].sort(([a], [b]) => a - b));
    return { requests: this.requests, bytes: this.bytes, answers, broken: this.broken };
  }
}
