import type { Clock } from '../../core/millis.ts';

// As in ../server.ts: an import would load all that the module has.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

type Headers = readonly (readonly [name: string, value: string])[];

const SUCCESS_HEADERS: Headers = [['content-type', 'application/json; charset=utf-8']];

const CLOSE = 'Connection: close\r\n\r\n';

/** How many answers are remembered for a second: those to batches may differ in their counts. */
const SUCCESSES_MAX = 100;

/** Writes responses as the HTTP server does for a connection that is kept, or that the client has ended. */
export class AnswerTexts {
  readonly #clock: Clock;
  readonly #keepAlive: string;
  /** Of which second, since the Unix epoch, all below are. */
  #second = -1;
  #date = '';
  /** Whole answers by their bodies: few bodies make up nearly all. */
  readonly #successes = new Map<string, string>();

  constructor(clock: Clock, keepAliveMs: number) {
    this.#clock = clock;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
  }

  /** A 200 whose body is JSON of ASCII characters; so is all of it. */
  success(json: string, isLast: boolean): string {
    this.#turn();
    if (isLast) return this.#text(200, SUCCESS_HEADERS, json, CLOSE);
    const known = this.#successes.get(json);
    if (known !== undefined) return known;
    const text = this.#text(200, SUCCESS_HEADERS, json, this.#keepAlive);
    if (this.#successes.size < SUCCESSES_MAX) this.#successes.set(json, text);
    return text;
  }

  /** Any status, with the response's own headers. */
  of(status: number, headers: Headers, body: string, isLast: boolean): string {
    this.#turn();
    return this.#text(status, headers, body, isLast ? CLOSE : this.#keepAlive);
  }

  #text(status: number, headers: Headers, body: string, connection: string): string {
    const own = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${own}content-length: ${Buffer.byteLength(body)}\r\n` +
      `${this.#date}${connection}${body}`
    );
  }

  /** What holds the date is made anew each second. */
  #turn(): void {
    const now = this.#clock();
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = `Date: ${new Date(now).toUTCString()}\r\n`;
    this.#successes.clear();
  }
}
