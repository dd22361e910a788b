import { setImmediate } from 'node:timers/promises';
import type { Entry } from '../core/entry.ts';
import type { Millis } from '../core/millis.ts';
import { millis } from '../core/millis.ts';
import type { Offset } from '../core/offset.ts';
import { START, offset } from '../core/offset.ts';
import type { Label, SeriesText } from '../core/series.ts';
import { readSeries, writeSeries } from '../core/series.ts';
import { MOMENT_MAX } from '../core/stored.ts';
import { TextMap } from '../core/textMap.ts';
import type { EntryLog, ReadLimits } from '../log/entryLog.ts';
import type { Notes } from '../log/notes.ts';
import { NoteLostError } from '../log/notes.ts';
import { Selection } from './selection.ts';
import { shortValue } from './shortValue.ts';

export interface CounterRules {
  /** Names of the events' labels that the counters have. */
  readonly labels: readonly string[];
  /** Beyond so many series all others are counted in one. */
  readonly seriesMax: number;
  /** Beyond so many bytes of series the same. Each scrape carries them all. */
  readonly countersBytesMax: number;
}

/** The label that tells the events' metric. */
export const METRIC_LABEL = 'metric';

const NAME = 'events_to_metrics_events_total';
const OTHER = 'other';
const NOTE_KEY = 'event_counters';
/** What is replayed at a time. */
const REPLAYED_AT_ONCE: ReadLimits = { entriesMax: 10_000, bytesMax: 8 * 1024 * 1024 };
/** What stands around a series in a scrape: a value, a space, the end of the line. */
const LINE_BYTES = 24;
/** Characters of the selections that are known by the counter they belong to; beyond that, all are looked up anew. */
const KNOWN_CHARACTERS_MAX = 1 << 20;

interface Counter {
  count: number;
  /** When its first event came. */
  since: Millis;
}

/** What is saved: the counters as they were when the log ended at `upTo`. */
interface Snapshot {
  readonly upTo: number;
  readonly counts: readonly (readonly [counter: string, count: number, since: number])[];
}

/**
 * Cumulative counters of events by a few of their labels, for `increase()` and for what is rarer than a scrape. They survive a restart
 * exactly: a snapshot says how far in the log it counts, and what lies beyond is counted again from the log.
 */
export class EventCounters {
  readonly #log: EntryLog & Notes;
  readonly #labels: ReadonlySet<string>;
  readonly #selection: Selection;
  readonly #seriesMax: number;
  readonly #bytesMax: number;
  /** The one for all that have none of their own. */
  readonly #other: SeriesText;
  /** By their own series. */
  #counters = new TextMap<Counter>();
  /** What they take in a scrape, without the one for all others. */
  #bytes = 0;
  /** By what they count of the events' series. */
  readonly #known = new TextMap<Counter>();
  #knownCharacters = 0;
  #upTo: Offset = START;
  #savedUpTo: Offset = START;

  constructor(log: EntryLog & Notes, { labels, seriesMax, countersBytesMax }: CounterRules) {
    this.#log = log;
    // A label that is named twice must not stand twice in a series: that would break every scrape.
    this.#labels = new Set(labels);
    this.#selection = new Selection(this.#labels);
    this.#seriesMax = seriesMax;
    this.#bytesMax = countersBytesMax;
    const names = [...this.#labels, METRIC_LABEL];
    this.#other = writeSeries(
      NAME,
      names.map((name) => ({ name, value: OTHER })),
    );
    log.onCommitted((entries) => this.#count(entries));
  }

  static get metric(): string {
    return NAME;
  }

  /**
   * Reads the snapshot, and counts what the log holds beyond it. Where the snapshot is lost, all begin at 0 again, from the end of the log on.
   * Resolves with whether it was there, and made no sense.
   */
  async start(): Promise<boolean> {
    const snapshot = await this.#loadSnapshot();
    const { end } = this.#log.state();
    if (snapshot === 'lost' || snapshot === 'damaged') {
      // To count what the log still holds would look like as many new events.
      this.#upTo = end;
      await this.#saveAll();
    } else if (snapshot !== undefined) {
      const { upTo, counts } = snapshot;
      for (const [counter, count, since] of counts) this.#add(counter as SeriesText, count, millis(since));
      // Of a log whose end is lost it may speak of more. What comes must be counted all the same, and saved.
      this.#upTo = offset(Math.min(upTo, end));
      if (upTo <= end) this.#savedUpTo = this.#upTo;
    }
    while (this.#upTo < end) {
      const { entries, upTo } = await this.#log.read(this.#upTo, end, REPLAYED_AT_ONCE);
      this.#count(entries);
      this.#upTo = upTo;
      // A log of a million entries takes a minute: health checks are answered meanwhile.
      await setImmediate();
    }
    return snapshot === 'damaged';
  }

  async #loadSnapshot(): Promise<Snapshot | 'lost' | 'damaged' | undefined> {
    try {
      const note = await this.#log.loadNote(NOTE_KEY);
      return note === undefined ? undefined : (readSnapshot(note) ?? 'damaged');
    } catch (error) {
      if (error instanceof NoteLostError) return 'lost';
      throw error;
    }
  }

  /** Each counter with its labels, and when its first event came. */
  *all(): IterableIterator<{
    readonly labels: readonly Label[];
    readonly value: number;
    readonly since: Millis;
  }> {
    for (const [series, { count, since }] of this.#counters.entries())
      yield { labels: readSeries(series as SeriesText).labels, value: count, since };
  }

  /** Saves a snapshot, if anything was counted since the last. */
  async save(): Promise<void> {
    const upTo = this.#upTo;
    if (upTo === this.#savedUpTo) return;
    await this.#saveAll();
  }

  /**
   * Forgets all series: they begin again at 0, after a restart, too. Throws an UnavailableError where the log has no room for that; then
   * nothing is forgotten.
   */
  async reset(): Promise<void> {
    const before = this.#counters;
    this.#counters = new TextMap<Counter>();
    this.#bytes = 0;
    this.#forgetKnown();
    try {
      await this.#saveAll();
    } catch (error) {
      for (const [series, { count, since }] of before.entries())
        this.#add(series as SeriesText, count, since);
      throw error;
    }
  }

  async #saveAll(): Promise<void> {
    const upTo = this.#upTo;
    const counts = Array.from(
      this.#counters.entries(),
      ([series, { count, since }]) => [series, count, since] as const,
    );
    const snapshot: Snapshot = { upTo, counts };
    await this.#log.saveNote(NOTE_KEY, JSON.stringify(snapshot));
    this.#savedUpTo = upTo;
  }

  /** To be called before entries up to `trimmed` go: what is not in a snapshot by then could not be counted again. */
  async saveBeforeTrim(trimmed: Offset): Promise<void> {
    if (trimmed > this.#savedUpTo) await this.save();
  }

  #count(entries: readonly Entry[]): void {
    for (const { kind, series, arrived } of entries) {
      if (kind !== 'event') continue;
      this.#counterOf(series, arrived).count += 1;
    }
    this.#upTo = entries.at(-1)?.offset ?? this.#upTo;
  }

  #counterOf(series: SeriesText, arrived: Millis): Counter {
    const selected = this.#selection.of(series);
    const known = this.#known.get(selected);
    if (known !== undefined) return known;
    const { metric, labels } = readSeries(series);
    const kept = labels.filter(({ name }) => this.#labels.has(name));
    const counter = this.#counter(shortSeries([...kept, { name: METRIC_LABEL, value: metric }]), arrived);
    this.#remember(selected, counter);
    return counter;
  }

  /** Adds to a counter that was saved or taken away. Where there is room for fewer by now, several become one. */
  #add(saved: SeriesText, count: number, since: Millis): void {
    const counter = this.#counter(saved, since);
    counter.since = millis(Math.min(counter.since, since));
    counter.count += count;
  }

  /** The counter of a series, or the one for all others where it would be one too many. A new one begins at `since`. */
  #counter(series: SeriesText, since: Millis): Counter {
    const known = this.#counters.get(series);
    if (known !== undefined) return known;
    const bytes = Buffer.byteLength(series) + LINE_BYTES;
    const hasRoom =
      series !== this.#other &&
      this.#counters.size < this.#seriesMax &&
      this.#bytes + bytes <= this.#bytesMax;
    const own = hasRoom ? series : this.#other;
    const counter = this.#counters.get(own) ?? { count: 0, since };
    this.#counters.set(own, counter);
    if (hasRoom) this.#bytes += bytes;
    return counter;
  }

  #remember(selected: string, counter: Counter): void {
    if (this.#knownCharacters + selected.length > KNOWN_CHARACTERS_MAX) this.#forgetKnown();
    this.#known.set(selected, counter);
    this.#knownCharacters += selected.length;
  }

  #forgetKnown(): void {
    this.#known.clear();
    this.#knownCharacters = 0;
  }
}

function shortSeries(labels: readonly Label[]): SeriesText {
  return writeSeries(
    NAME,
    labels.map(({ name, value }) => ({ name, value: shortValue(value) })),
  );
}

/** Whether a note can be what the counters saved. */
export function isSnapshot(note: string): boolean {
  return readSnapshot(note) !== undefined;
}

/** Undefined where it is not what was written. */
function readSnapshot(note: string): Snapshot | undefined {
  try {
    const { upTo, counts } = JSON.parse(note) as Snapshot;
    offset(upTo);
    for (const [counter, count, since] of counts) {
      if (!isCounter(counter) || !Number.isSafeInteger(count) || count < 0) return undefined;
      if (!Number.isSafeInteger(since) || Math.abs(since) > MOMENT_MAX) return undefined;
    }
    return { upTo, counts };
  } catch {
    return undefined;
  }
}

/** Whether a text is a series as it is written. One that is not, or that names a label twice, would break every scrape. Throws for one that is cut. */
function isCounter(counter: unknown): boolean {
  if (typeof counter !== 'string') return false;
  const { metric, labels } = readSeries(counter as SeriesText);
  const names = new Set(labels.map(({ name }) => name));
  return names.size === labels.length && !names.has('') && writeSeries(metric, labels) === counter;
}
