import type { Clock } from '../../core/millis.ts';

// As in ../server.ts: an import would load all that the module has.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

const JSON_TYPE = 'application/json; charset=utf-8';

/** How many answers are remembered for a second: those to batches may differ in their counts. */
const SUCCESSES_MAX = 100;

/** Writes responses as the HTTP server does for a connection that is kept. */
export class AnswerTexts {
  readonly #clock: Clock;
  readonly #keepAlive: string;
  /** Of which second, since the Unix epoch, all below are. */
  #second = -1;
  #lastHeaders = '';
  /** Whole answers by their bodies: few bodies make up nearly all. */
  readonly #successes = new Map<string, string>();

  constructor(clock: Clock, keepAliveMs: number) {
    this.#clock = clock;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
  }

  /** A 200 whose body is JSON of ASCII characters; so is all of it. */
  success(json: string): string {
    this.#turn();
    const known = this.#successes.get(json);
    if (known !== undefined) return known;
    const text = this.#text(200, [['content-type', JSON_TYPE]], json);
    if (this.#successes.size < SUCCESSES_MAX) this.#successes.set(json, text);
    return text;
  }

  /** Any status, with the response's own headers. */
  of(status: number, headers: readonly (readonly [name: string, value: string])[], body: string): string {
    this.#turn();
    return this.#text(status, headers, body);
  }

  #text(status: number, headers: readonly (readonly [name: string, value: string])[], body: string): string {
    const own = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${own}content-length: ${Buffer.byteLength(body)}\r\n` +
      `${this.#lastHeaders}${body}`
    );
  }

  /** What holds the date is made anew each second. */
  #turn(): void {
    const now = this.#clock();
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#lastHeaders = `Date: ${new Date(now).toUTCString()}\r\n${this.#keepAlive}`;
    this.#successes.clear();
  }
}
