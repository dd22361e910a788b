/** Whom to talk to, and as whom. */
export interface ClientOptions {
  /** Such as `http://events-to-metrics.kaas-events.svc:8090`. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const REQUEST_TIMEOUT_MS = 10_000;
const SHOWN_CHARS_MAX = 300;

/** A job and a scraper in one. It keeps its connection open: the next scrape is the evidence that the last one arrived. */
export class Client {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, token, username, password }: ClientOptions) {
    this.#url = url;
    this.#headers = authorization(token, username, password);
  }

  /** Whether requests are taken. Rejects when nobody answers. */
  async ready(): Promise<boolean> {
    const { status } = await this.#request('GET', '/-/ready');
    return status === 200;
  }

  async post(labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#succeed('POST', `/event?${new URLSearchParams(labels).toString()}`);
  }

  /** A scrape without timestamps, in text. */
  async scrape(scraper: string): Promise<string> {
    const query = new URLSearchParams({ scraper, timestamps: 'scrape' }).toString();
    return this.#succeed('GET', `/metrics?${query}`);
  }

  /** Makes the server forget a scraper, with what waits for it. */
  async forget(scraper: string): Promise<void> {
    await this.#succeed('DELETE', `/api/v1/scrapers/${encodeURIComponent(scraper)}`);
  }

  async #succeed(method: string, path: string): Promise<string> {
    const { status, text } = await this.#request(method, path);
    if (status < 300) return text;
    throw new Error(`${method} ${path}: ${status} ${text.trim().slice(0, SHOWN_CHARS_MAX)}`);
  }

  async #request(method: string, path: string): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    try {
      const response = await fetch(this.#url + path, { method, headers: this.#headers, signal });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const { message, cause } = error as Error;
      const why = cause instanceof Error ? cause.message : message;
      throw new Error(`${method} ${this.#url}${path}: ${why}`, { cause: error });
    }
  }
}

function authorization(token?: string, username?: string, password?: string): Record<string, string> {
  if (token) return { authorization: `Bearer ${token}` };
  if (!username) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
}
