import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import type { Label, SeriesText } from '../core/series.ts';
import { TextMap } from '../core/textMap.ts';
import { escapeFamily, escaper } from '../render/escape.ts';
import { EVENT_HELP } from '../render/exposition.ts';
import type { Family } from '../render/families.ts';
import { inSeriesOrder } from '../render/order.ts';
import { writeSampleValue } from '../render/protobuf.ts';
import type { Version } from './answer.ts';
import { labelsReader, labelsWith } from './seriesLabels.ts';

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
 *   TimeSeries    labels_refs=1 (packed)  samples=2  metadata=5  created_timestamp=6
 *   Sample        value=1  timestamp=2  start_timestamp=3
 *   Metadata      type=1  help_ref=3
 *
 * Since when a counter counts stands in the series up to 2.0-rc.3, which Prometheus 3.5 reads, and in the sample since; whoever reads one of them skips the other.
 *
 * A tag is the field's number and the kind of what follows.
 */
const varint = (field: number) => field << 3;
const fixed64 = (field: number) => (field << 3) | 1;
const counted = (field: number) => (field << 3) | 2;

const TYPE = { counter: 1, gauge: 2, histogram: 3, summary: 5 } as const satisfies Record<
  Family['type'],
  number
>;
/** What all events are. */
const EVENTS: About = { type: 'gauge', help: EVENT_HELP };
/** Entries that are written at once: a millisecond or two, in which nobody else gets a turn. */
const STEP_ENTRIES = 500;

/** Writes one request, in steps, between which others may have a turn. */
export interface WriteRequest {
  /** How many samples it has so far. */
  readonly samples: number;
  /** Adds entries of which no series was added before. */
  add(entries: readonly Entry[]): Generator<void, void>;
  /** Adds metrics of the server's own, as of a time. */
  addFamilies(families: readonly Family[], time: Millis): Generator<void, void>;
  /** The message, not compressed. */
  finish(): Uint8Array;
}

type About = Pick<Family, 'type' | 'help'>;

interface Sample extends Pick<Entry, 'kind' | 'value' | 'time'> {
  /** Since when a counter counts. */
  readonly createdAt?: Millis;
}

/** Begins a request in a version of the protocol. `added`: labels that series get that have none of their names. */
export function writeRequest(version: Version, added: readonly Label[]): WriteRequest {
  return new Writing(version === '2.0' ? new Second() : new First(), added);
}

class Writing implements WriteRequest {
  readonly #form: First | Second;
  readonly #added: readonly Label[];
  readonly #labelsOf: (series: SeriesText) => readonly Label[];
  #samples = 0;

  constructor(form: First | Second, added: readonly Label[]) {
    this.#form = form;
    this.#added = added;
    this.#labelsOf = labelsReader(added);
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
      this.#form.series(this.#labelsOf(this.#form.shown(series)), ordered.slice(at, next), EVENTS);
      written += next - at;
      at = next;
      if (written < STEP_ENTRIES) continue;
      written = 0;
      yield;
    }
    this.#samples += ordered.length;
  }

  *addFamilies(families: readonly Family[], time: Millis): Generator<void, void> {
    for (const family of families) {
      for (const { name, labels, value, createdAt } of escapeFamily(family, this.#form.escaping).samples) {
        const sample = { kind: 'event', value, time, ...(createdAt !== undefined && { createdAt }) } as const;
        this.#form.series(labelsWith(name, labels, this.#added), [sample], family);
        this.#samples += 1;
        if (this.#samples % STEP_ENTRIES === 0) yield;
      }
    }
  }

  finish(): Uint8Array {
    return this.#form.finish();
  }
}

/** 1.0 allows names of the legacy charset only, so others are escaped, as for a scraper that doesn't ask for them. */
class First {
  readonly escaping = 'underscores';
  readonly shown = escaper(this.escaping);
  readonly #writer = new BinaryWriter();

  series(labels: readonly Label[], samples: readonly Sample[], _about: About): void {
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
    for (const sample of samples) writeSample(writer, sample).join();
    writer.join();
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

/** 2.0 has each text once, and refers to it. */
class Second {
  readonly escaping = 'allow-utf-8';
  readonly shown = (series: SeriesText): SeriesText => series;
  readonly #symbols = new BinaryWriter();
  readonly #refs = new TextMap<number>();
  readonly #writer = new BinaryWriter();
  /** By the help, which each metric has of its own. */
  readonly #metadata = new Map<string, Uint8Array>();
  #count = 0;

  constructor() {
    // The first must be the empty text.
    this.#ref('');
  }

  series(labels: readonly Label[], samples: readonly Sample[], about: About): void {
    const writer = this.#writer.uint32(counted(5)).fork();
    writer.uint32(counted(1)).fork();
    for (const { name, value } of labels) writer.uint32(this.#ref(name)).uint32(this.#ref(value));
    writer.join();
    for (const sample of samples) {
      writeSample(writer, sample);
      if (sample.createdAt !== undefined) writer.uint32(varint(3)).int64(sample.createdAt);
      writer.join();
    }
    writer.raw(this.#metadataOf(about));
    const createdAt = samples[0]?.createdAt;
    if (createdAt !== undefined) writer.uint32(varint(6)).int64(createdAt);
    writer.join();
  }

  #metadataOf({ type, help }: About): Uint8Array {
    const known = this.#metadata.get(help);
    if (known !== undefined) return known;
    const metadata = new BinaryWriter()
      .uint32(counted(5))
      .fork()
      .uint32(varint(1))
      .uint32(TYPE[type])
      .uint32(varint(3))
      .uint32(this.#ref(help))
      .join()
      .finish();
    this.#metadata.set(help, metadata);
    return metadata;
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

/** Writes a sample, to be joined. */
function writeSample(writer: BinaryWriter, { kind, value, time }: Sample): BinaryWriter {
  writer.uint32(counted(2)).fork().uint32(fixed64(1));
  writeSampleValue(writer, kind, value);
  return writer.uint32(varint(2)).int64(time);
}
