import type { OutgoingHttpHeaders } from 'node:http';
import { BoundedMap } from '../core/boundedMap.ts';
import type { AnswerMemory } from './answerMemory.ts';
import type { Exchange } from './exchange.ts';
import type { FamilyGroup } from '../render/families.ts';

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

/** Makes an answer when it is its turn. Calls `begin` then, for the metrics of that moment. */
export type MakeAnswer = (begin: () => Groups) => Promise<Prepared>;

/** Answers to scrapes that bring nothing new: all who ask in one way for the very same metrics get the very same bytes. */
export class EmptyAnswers {
  /** Of which metrics those below are made. */
  #groups: Groups = [];
  readonly #answers = new BoundedMap<string, Prepared | Promise<Prepared>>(WAYS_KEPT);
  /** What waits for its turn, one for each way: it will be of later metrics than whoever asks meanwhile could see. */
  readonly #waiting = new Map<string, Promise<Prepared>>();
  readonly #metrics: () => Groups;

  /** `metrics`: those of the moment; the same ones until there are others. */
  constructor(metrics: () => Groups) {
    this.#metrics = metrics;
  }

  /** An answer, which `make` makes if it is not there. `way` tells all that it depends on beside the metrics. */
  of(way: string, make: MakeAnswer): Prepared | Promise<Prepared> {
    this.#look();
    const known = this.#answers.get(way) ?? this.#waiting.get(way);
    if (known !== undefined) return known;
    const { promise: coming, resolve, reject } = Promise.withResolvers<Prepared>();
    this.#waiting.set(way, coming);
    make(() => this.#begin(way, coming)).then(resolve, reject);
    coming.then(
      (made) => this.#settle(way, coming, made),
      () => this.#settle(way, coming, undefined),
    );
    return coming;
  }

  #look(): void {
    const groups = this.#metrics();
    if (groups === this.#groups) return;
    this.#groups = groups;
    this.#answers.clear();
  }

  /** Those who ask before it is there, and see the same metrics, wait for the same answer. */
  #begin(way: string, coming: Promise<Prepared>): Groups {
    this.#look();
    this.#waiting.delete(way);
    this.#answers.set(way, coming);
    return this.#groups;
  }

  #settle(way: string, coming: Promise<Prepared>, made: Prepared | undefined): void {
    if (this.#waiting.get(way) === coming) this.#waiting.delete(way);
    if (this.#answers.get(way) !== coming) return;
    if (made === undefined) this.#answers.delete(way);
    else this.#answers.set(way, made);
  }
}

export function prepared(headers: Readonly<OutgoingHttpHeaders>, parts: readonly Uint8Array[]): Prepared {
  const whole = Buffer.concat(parts);
  return {
    headers: { ...headers, 'Content-Length': whole.length },
    body: whole.length > TEXT_BYTES_MAX ? whole : whole.toString('latin1'),
  };
}

export function sendPrepared(exchange: Exchange, { headers, body }: Prepared, answers: AnswerMemory): void {
  const { response } = exchange;
  if (typeof body !== 'string') answers.hold(response, [body]);
  exchange.writeHead(headers);
  response.end(body, 'latin1');
}
