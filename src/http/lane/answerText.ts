import type { Clock } from '../../core/millis.ts';

// As in ../server.ts: an import would load all that the module has.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

type Headers = readonly (readonly [name: string, value: string])[];

const SUCCESS_HEADERS: Headers = [['content-type', 'application/json; charset=utf-8']];

const CLOSE = 'Connection: close\r\n\r\n';

/** Writes responses as the HTTP server does for a connection that is kept, or that the client has ended. */
export class AnswerTexts {
  readonly #clock: Clock;
  readonly #keepAlive: string;
  /** Of which second, since the Unix epoch, the date is. */
  #second = -1;
  #date = '';

  constructor(clock: Clock, keepAliveMs: number) {
    this.#clock = clock;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
  }

  /** A 200 whose body is JSON of ASCII characters; so is all of it. */
  success(json: string, isLast: boolean): string {
    return this.of(200, SUCCESS_HEADERS, json, isLast);
  }

  /** Any status, with the response's own headers. */
  of(status: number, headers: Headers, body: string, isLast: boolean): string {
    this.#turn();
    const own = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${own}content-length: ${Buffer.byteLength(body)}\r\n` +
      `${this.#date}${isLast ? CLOSE : this.#keepAlive}${body}`
    );
  }

  #turn(): void {
    const now = this.#clock();
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = `Date: ${new Date(now).toUTCString()}\r\n`;
  }
}
