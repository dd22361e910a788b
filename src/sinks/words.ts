import { failureOf } from './failures.ts';
import type { SinkOptions } from './options.ts';

/** What is shown of a receiver's words, in UTF-16 units. */
const WORDS_UNITS_MAX = 200;
/** Shorter ones may stand in any text. */
const SECRET_UNITS_MIN = 4;

/** Makes what receivers say fit to be shown: on one line, cut short, and without the secrets that they were sent. */
export class Words {
  readonly #secrets: string[] = [];

  constructor({ url, headers, credentials }: Pick<SinkOptions, 'url' | 'headers' | 'credentials'>) {
    for (const value of Object.values(headers)) this.#hideParts(value);
    this.hide(url.search);
    for (const value of url.searchParams.values()) {
      this.hide(value);
      this.hide(encodeURIComponent(value));
    }
    if (credentials?.kind === 'basic') {
      const { username, password } = credentials;
      this.hide(password);
      this.hide(Buffer.from(`${username}:${password}`).toString('base64'));
    } else if (credentials?.kind === 'bearer') this.hide(credentials.token);
  }

  /** Such as a scheme and its token; of Basic, the password, too. */
  #hideParts(value: string): void {
    this.hide(value);
    const [scheme, ...parts] = value.split(/[\s,;]+/);
    for (const part of parts) {
      this.hide(part);
      if (scheme?.toLowerCase() !== 'basic') continue;
      const plain = Buffer.from(part, 'base64').toString();
      this.hide(plain);
      this.hide(plain.slice(plain.indexOf(':') + 1));
    }
  }

  /** Shows a secret never again. Returns it. */
  hide(secret: string): string {
    if (secret.length >= SECRET_UNITS_MIN && !this.#secrets.includes(secret)) this.#secrets.push(secret);
    if (this.#secrets.length > SECRETS_MAX) this.#secrets.shift();
    return secret;
  }

  /** What an answer says, as far as it is text. */
  said(bytes: Uint8Array): string {
    return this.#fit(new TextDecoder().decode(bytes));
  }

  /** What went wrong on the way. */
  of(error: unknown): string {
    if (!(error instanceof Error)) return this.#fit(String(error));
    // Of several addresses that can't be reached, the first says enough.
    const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
    if (!(first instanceof Error)) return this.#fit(String(first));
    const { what, remedy } = failureOf(first);
    return remedy === undefined ? this.#fit(what) : `${this.#fit(what)}; ${remedy}`;
  }

  #fit(text: string): string {
    let all = text;
    for (const secret of this.#secrets) all = all.replaceAll(secret, '***');
    const line = all.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
    return line.length > WORDS_UNITS_MAX ? `${line.slice(0, WORDS_UNITS_MAX)}…` : line;
  }
}

/** Tokens that are exchanged come anew each time. */
const SECRETS_MAX = 64;
