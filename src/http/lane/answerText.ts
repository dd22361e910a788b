import type { Clock } from '../../core/millis.ts';

// As in ../server.ts: an import would load all that the module has.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

type Headers = readonly (readonly [name: string, value: string])[];

/** Of an answer that is JSON. */
export const JSON_HEADERS: Headers = [['content-type', 'application/json; charset=utf-8']];

const CLOSE = 'Connection: close\r\n\r\n';

/** Writes responses as the HTTP server does for a connection that is kept, or that the client has ended. */
export class AnswerTexts {
  readonly #clock: Clock;
  readonly #keepAlive: string;
  readonly #common: () => Headers;
  /** Of which second, since the Unix epoch, the date is. */
  #second = -1;
  #date = '';
  /** How a success begins with the headers that it was made of. */
  #success: { readonly common: Headers; readonly text: string } | undefined;

  /** `common`: the headers of every response. */
  constructor(clock: Clock, keepAliveMs: number, common: () => Headers) {
    this.#clock = clock;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
    this.#common = common;
  }

  /** A 200 whose body is JSON of ASCII characters. Each character of it is a byte. */
  success(json: string, isLast: boolean): string {
    const common = this.#common();
    if (this.#success?.common !== common) {
      // As Node writes headers before a text: in UTF-8.
      const text = Buffer.from(beginning(200, [...common, ...JSON_HEADERS])).toString('latin1');
      this.#success = { common, text };
    }
    return this.#success.text + this.#rest(json.length, isLast) + json;
  }

  /** Any status, with the response's own headers. */
  of(status: number, headers: Headers, body: string, isLast: boolean): Buffer {
    const head = beginning(status, [...this.#common(), ...headers]);
    return Buffer.from(head + this.#rest(Buffer.byteLength(body), isLast) + body);
  }

  /** The rest of a head before so many bytes. */
  #rest(length: number, isLast: boolean): string {
    this.#turn();
    return `content-length: ${length}\r\n${this.#date}${isLast ? CLOSE : this.#keepAlive}`;
  }

  #turn(): void {
    const now = this.#clock();
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = `Date: ${new Date(now).toUTCString()}\r\n`;
  }
}

/** A head up to its last headers. The names are in lower case, as `http/exchange.ts` writes them. */
function beginning(status: number, headers: Headers): string {
  const lines = headers.map(([name, value]) => `${name.toLowerCase()}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}`;
}
