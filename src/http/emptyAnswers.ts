import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { FamilyGroup } from '../wire/out/families.ts';

/** A 200 that many get. */
export interface Prepared {
  readonly headers: Readonly<OutgoingHttpHeaders>;
  /** A text holds a byte in each character: Node writes it together with the head. */
  readonly body: string | Buffer;
}

/** A fleet asks for one format, or for two while it is upgraded; a person looks without compression. */
const WAYS_KEPT = 4;
/** Node writes shorter texts without taking memory for each: `StreamBase::WriteString`. */
const TEXT_BYTES_MAX = 15 * 1024;

type Groups = readonly FamilyGroup[];

/** Answers to scrapes that bring nothing new: all who ask in one way for the very same metrics get the very same bytes. */
export class EmptyAnswers {
  /** Of which metrics those below are made. */
  #groups: Groups = [];
  readonly #answers = new Map<string, Prepared | Promise<Prepared>>();

  /** An answer, which `make` makes if it is not there. `way` tells all that it depends on beside the metrics. */
  of(groups: Groups, way: string, make: () => Promise<Prepared>): Prepared | Promise<Prepared> {
    if (groups !== this.#groups) {
      this.#groups = groups;
      this.#answers.clear();
    }
    const known = this.#answers.get(way);
    if (known !== undefined) return known;
    const coming = make();
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined && this.#answers.size === WAYS_KEPT) this.#answers.delete(oldest);
    // Those who ask before it is there wait for the same one.
    this.#answers.set(way, coming);
    const settle = (made: Prepared | undefined): void => {
      if (this.#answers.get(way) !== coming) return;
      if (made === undefined) this.#answers.delete(way);
      else this.#answers.set(way, made);
    };
    coming.then(settle, () => settle(undefined));
    return coming;
  }
}

export function prepared(headers: Readonly<OutgoingHttpHeaders>, parts: readonly Uint8Array[]): Prepared {
  const whole = Buffer.concat(parts);
  return {
    headers: { ...headers, 'Content-Length': whole.length },
    body: whole.length > TEXT_BYTES_MAX ? whole : whole.toString('latin1'),
  };
}

/** Sends it past Fastify's own way, which costs as much as all else of such an answer. */
export function sendPrepared(reply: FastifyReply, { headers, body }: Prepared): FastifyReply {
  const { raw } = reply;
  raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headers });
  reply.hijack();
  raw.end(body, 'latin1');
  return reply;
}
