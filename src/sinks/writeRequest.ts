import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Entry } from '../core/entry.ts';
import type { Label, SeriesText } from '../core/series.ts';
import { TextMap } from '../core/textMap.ts';
import { escaper } from '../render/escape.ts';
import { EVENT_HELP } from '../render/exposition.ts';
import { inSeriesOrder } from '../render/order.ts';
import { writeSampleValue } from '../render/protobuf.ts';
import type { Version } from './answer.ts';
import { labelsReader } from './seriesLabels.ts';

/*
 * https://prometheus.io/docs/specs/prw/remote_write_spec/#protocol
 *
 *   WriteRequest  timeseries=1
 *   TimeSeries    labels=1  samples=2
 *   Label         name=1  value=2
 *   Sample        value=1  timestamp=2
 *
 * https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#protobuf-message
 *
 *   Request       symbols=4  timeseries=5
 *   TimeSeries    labels_refs=1 (packed)  samples=2  metadata=5
 *   Sample        value=1  timestamp=2
 *   Metadata      type=1  help_ref=3
 *
 * A tag is the field's number and the kind of what follows.
 */
const varint = (field: number) => field << 3;
const fixed64 = (field: number) => (field << 3) | 1;
const counted = (field: number) => (field << 3) | 2;

const GAUGE = 2;
/** Entries that are written at once: a millisecond or two, in which nobody else gets a turn. */
const STEP_ENTRIES = 500;

/** Writes one request, in steps, between which others may have a turn. */
export interface WriteRequest {
  /** How many samples it has so far. */
  readonly samples: number;
  /** Adds entries of which no series was added before. */
  add(entries: readonly Entry[]): Generator<void, void>;
  /** The message, not compressed. */
  finish(): Uint8Array;
}

/** Begins a request in a version of the protocol. `added`: labels that series get that have none of their names. */
export function writeRequest(version: Version, added: readonly Label[]): WriteRequest {
  return new Writing(version === '2.0' ? new Second() : new First(), labelsReader(added));
}

class Writing implements WriteRequest {
  readonly #form: First | Second;
  readonly #labelsOf: (series: SeriesText) => readonly Label[];
  #samples = 0;

  constructor(form: First | Second, labelsOf: (series: SeriesText) => readonly Label[]) {
    this.#form = form;
    this.#labelsOf = labelsOf;
  }

  get samples(): number {
    return this.#samples;
  }

  /** The samples of a series stand together, in the order of their times. */
  *add(entries: readonly Entry[]): Generator<void, void> {
    const ordered = inSeriesOrder(entries);
    let written = 0;
    for (let at = 0; at < ordered.length;) {
      const { series } = ordered[at] as Entry;
      let next = at + 1;
      while (ordered[next]?.series === series) next += 1;
      this.#form.series(this.#labelsOf(this.#form.shown(series)), ordered.slice(at, next));
      written += next - at;
      at = next;
      if (written < STEP_ENTRIES) continue;
      written = 0;
      yield;
    }
    this.#samples += ordered.length;
  }

  finish(): Uint8Array {
    return this.#form.finish();
  }
}

/** 1.0 allows names of the legacy charset only, so others are escaped, as for a scraper that doesn't ask for them. */
class First {
  readonly shown = escaper('underscores');
  readonly #writer = new BinaryWriter();

  series(labels: readonly Label[], entries: readonly Entry[]): void {
    const writer = this.#writer.uint32(counted(1)).fork();
    for (const { name, value } of labels)
      writer
        .uint32(counted(1))
        .fork()
        .uint32(counted(1))
        .string(name)
        .uint32(counted(2))
        .string(value)
        .join();
    for (const entry of entries) writeSample(writer, entry);
    writer.join();
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

/** 2.0 has each text once, and refers to it. */
class Second {
  readonly shown = (series: SeriesText): SeriesText => series;
  readonly #symbols = new BinaryWriter();
  readonly #refs = new TextMap<number>();
  readonly #writer = new BinaryWriter();
  readonly #metadata: Uint8Array;
  #count = 0;

  constructor() {
    // The first must be the empty text.
    this.#ref('');
    this.#metadata = new BinaryWriter()
      .uint32(counted(5))
      .fork()
      .uint32(varint(1))
      .uint32(GAUGE)
      .uint32(varint(3))
      .uint32(this.#ref(EVENT_HELP))
      .join()
      .finish();
  }

  series(labels: readonly Label[], entries: readonly Entry[]): void {
    const writer = this.#writer.uint32(counted(5)).fork();
    writer.uint32(counted(1)).fork();
    for (const { name, value } of labels) writer.uint32(this.#ref(name)).uint32(this.#ref(value));
    writer.join();
    for (const entry of entries) writeSample(writer, entry);
    writer.raw(this.#metadata).join();
  }

  finish(): Uint8Array {
    return Buffer.concat([this.#symbols.finish(), this.#writer.finish()]);
  }

  #ref(text: string): number {
    const known = this.#refs.get(text);
    if (known !== undefined) return known;
    const ref = this.#count;
    this.#count += 1;
    this.#refs.set(text, ref);
    this.#symbols.uint32(counted(4)).string(text);
    return ref;
  }
}

function writeSample(writer: BinaryWriter, { kind, value, time }: Entry): void {
  writer.uint32(counted(2)).fork().uint32(fixed64(1));
  writeSampleValue(writer, kind, value);
  writer.uint32(varint(2)).int64(time).join();
}
