import type { SeriesText } from '../core/series.ts';
import { closingQuote, headOf, valuePlace, writtenName } from '../core/series.ts';

/**
 * Cuts the metric and a few labels out of the text of a series, without reading it whole: this is done for every event. Series that
 * differ in them have different selections, and most of those that don't have the same; it is a key, and not to be shown.
 */
export class Selection {
  /** What each of the labels begins with in a series. */
  readonly #beginnings: readonly string[];

  constructor(labels: Iterable<string>) {
    this.#beginnings = Array.from(labels, (name) => `${writtenName(name)}="`);
  }

  /** Throws for a text that is cut. */
  of(series: SeriesText): string {
    let label = headOf(series).length + 1;
    // With the brace or the comma behind the metric, so that no name of a label can be taken for more of it.
    let selected = series.slice(0, label);
    while (label < series.length) {
      const end = closingQuote(series, valuePlace(series, label)) + 1;
      for (const beginning of this.#beginnings)
        if (series.startsWith(beginning, label)) selected += series.slice(label, end);
      label = end + 1;
    }
    return selected;
  }
}
