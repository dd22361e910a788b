import { readProtobuf, STALE_NAN_BITS } from '../../support/protobufReader.ts';
import { RawClient } from '../../support/rawHttp.ts';

/** Where an answer stands in what a server sent: which of its connections, and which bytes of that. */
export interface Answer {
  readonly life: number;
  /** The client's. */
  readonly port: number;
  readonly from: number;
  readonly to: number;
}

/** A connection that knows where each answer stands. */
export class Client {
  readonly #raw: RawClient;
  readonly #life: number;
  readonly #port: number;
  #received = 0;

  private constructor(raw: RawClient, life: number) {
    this.#raw = raw;
    this.#life = life;
    this.#port = raw.socket.localPort as number;
  }

  static async connect(port: number, life: number): Promise<Client> {
    return new Client(await RawClient.connect(port), life);
  }

  /** Sends a request, and waits for its answer. Rejects where the connection ends before. */
  async ask(request: string): Promise<{ status: number; raw: Buffer; answer: Answer }> {
    this.#raw.send(request);
    const { status, head, raw } = await this.#raw.response();
    const from = this.#received;
    this.#received += head.length + 4 + raw.length;
    return { status, raw, answer: { life: this.#life, port: this.#port, from, to: this.#received } };
  }

  end(): void {
    this.#raw.end();
  }
}

/** What a scrape showed of an entry. */
export interface Shown {
  /** As `keyOf` makes it. */
  readonly key: string;
  /** In ms; undefined where it was shown without a time. */
  readonly time: number | undefined;
}

const END = ' end';

/** Tells an entry from all others: each event has a name of its own, and so has its end. */
export function keyOf(name: string, kind: 'event' | 'end'): string {
  return kind === 'event' ? name : `${name}${END}`;
}

export function isEnd(key: string): boolean {
  return key.endsWith(END);
}

export function shownAsText(body: string): Shown[] {
  const lines = body.matchAll(/^events_to_metrics\{n="(\d+)"\} 1$/gm);
  return Array.from(lines, ([, name = '']) => ({ key: name, time: undefined }));
}

export function shownAsProtobuf(body: Buffer): Shown[] {
  const family = readProtobuf(body).find(({ name }) => name === 'events_to_metrics');
  return (family?.metrics ?? []).map(({ labels, bits, time }) => {
    const kind = bits === STALE_NAN_BITS ? 'end' : 'event';
    return { key: keyOf(labels.get('n') as string, kind), time };
  });
}
