import type { SeriesText } from '../core/series.ts';
import { closingQuote, headOf, labelPlaces, writtenName } from '../core/series.ts';

/** A selection, and what tells at once that a series has the same. */
interface Latest {
  readonly selected: string;
  /** The metric, with the brace or the comma behind it. */
  readonly start: string;
  /** From the quote before the first of the labels to the end. Undefined where they are not all there: others may have them elsewhere. */
  readonly tail: string | undefined;
}

/**
 * Cuts the metric and a few labels out of the text of a series, without reading it whole: this is done for every event. Series that
 * differ in them have different selections, and most of those that don't have the same; it is a key, and not to be shown.
 */
export class Selection {
  /** What each of the labels begins with in a series. */
  readonly #beginnings: readonly string[];
  #latest: Latest = { selected: '', start: '', tail: undefined };

  constructor(labels: Iterable<string>) {
    this.#beginnings = Array.from(labels, (name) => `${writtenName(name)}="`);
  }

  /** The series must be whole. */
  of(series: SeriesText): string {
    const { start, tail, selected } = this.#latest;
    // Two slices are compared quicker than by `startsWith`.
    return tail !== undefined &&
      series.slice(-tail.length) === tail &&
      series.slice(0, start.length) === start
      ? selected
      : this.#cut(series);
  }

  #cut(series: SeriesText): string {
    const labels = headOf(series).length + 1;
    // With the brace or the comma behind the metric, so that no name of a label can be taken for more of it.
    const start = series.slice(0, labels);
    let selected = start;
    let first = series.length;
    for (const [index, label] of labelPlaces(series, labels, this.#beginnings).entries()) {
      if (label === -1) {
        first = labels;
        continue;
      }
      const value = label + (this.#beginnings[index]?.length ?? 0);
      selected += series.slice(label, closingQuote(series, value) + 1);
      first = Math.min(first, label);
    }
    // No value ends right before the first label of all, which would tell where its name begins: then each series is cut.
    const tail = first > labels && first < series.length ? series.slice(first - 2) : undefined;
    this.#latest = { selected, start, tail };
    return selected;
  }
}
