import { Agent, request } from 'node:http';

export interface Scraped {
  readonly ms: number;
  readonly body: Buffer;
  readonly contentType: string;
}

/** A client that scrapes on one connection that it keeps, as Prometheus does; so its next request proves the one before. */
export class Scraper implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = { 'X-Prometheus-Scrape-Timeout-Seconds': '10', ...headers };
  }

  /** From the request to the last byte. The path may be another each time. */
  scrape(path = '/metrics'): Promise<Scraped> {
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const get = request(this.#url + path, { agent: this.#agent, headers: this.#headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => void chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const ms = performance.now() - began;
          const body = Buffer.concat(chunks);
          if (answer.statusCode === 200)
            resolve({ ms, body, contentType: answer.headers['content-type'] ?? '' });
          else reject(new Error(`${answer.statusCode}: ${body.toString().slice(0, 200)}`));
        });
      });
      get.on('error', reject);
      get.end();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** The Accept of a Prometheus that wants protobuf first. */
export const PROTOBUF = {
  Accept:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.4',
};
