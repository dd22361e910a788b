import { Branch } from './branch.ts';
import type { Draft } from './draft.ts';
import type { EventRules } from './rules.ts';
import { keepsLabel } from './keptLabels.ts';
import { isLabelValue, labelName } from '../core/labels.ts';
import { interned } from '../core/keptText.ts';
import type { SeriesText } from '../core/series.ts';
import { HASHED_UNITS_MAX } from '../core/textMap.ts';
import { escape, seriesParts } from '../core/series.ts';

/** Labels of all layouts that are remembered at once: thousands of kinds of events. */
const LABELS_MAX = 16_384;
/** UTF-16 units of their names, since names may be long; a layout has them three times. */
const CHARACTERS_MAX = 512 << 10;

/** How many events must do without when no more can be remembered, before all is forgotten: to learn their names costs more than that. */
const WITHOUT_MAX = 65_536;

/** How the values of labels become a series' text, where the labels' names are known: each has its place between texts that never change. */
interface Layout {
  /** The text with nothing for each value. */
  readonly parts: readonly string[];
  /** Where in `parts` the value of each label belongs, in the order in which the labels come; -1 for one that is not stored. */
  readonly places: readonly number[];
}

/** A metric's name, or a label's behind those that come before it; with the layout where none need follow. */
type Names = Branch<Layout | undefined>;

/**
 * Remembers what follows from an event's metric and the names of its labels alone: that they keep the rules, which labels are stored, and
 * in which order. Most events differ from an earlier one in nothing but values, and these are all that has to be looked at then. What is
 * remembered is bounded, and forgotten when it no longer helps, so that names which never come again can't stay for good.
 */
export class Layouts {
  readonly #rules: EventRules;
  /** No value of so many UTF-16 units is cut. */
  readonly #uncutMax: number;
  /** By metric, and then by the labels' names one by one. */
  #known: Names = new Branch('', undefined);
  #labels = 0;
  #characters = 0;
  /** Events since there is no room for more. */
  #without = 0;

  constructor(rules: EventRules) {
    this.#rules = rules;
    const kept = rules.labels?.valueBytesKept ?? 0;
    this.#uncutMax = kept > 0 ? Math.floor(kept / 3) : Infinity;
  }

  /**
   * The series of a draft whose metric and labels keep the rules. Undefined where that can't be told at once: their names are new, or a
   * value is empty, or needs a closer look.
   */
  seriesOf(draft: Draft): SeriesText | undefined {
    const layout = this.#layoutOf(draft);
    if (layout === undefined) return undefined;
    const { places } = layout;
    const { limits } = this.#rules;
    const parts = layout.parts.slice();
    let label = 0;
    for (const pair of draft.labels) {
      const value = pair[1];
      const place = places[label] ?? -1;
      label += 1;
      if (place === -1) continue;
      if (value === '' || value.length > this.#uncutMax || !isLabelValue(value, limits)) return undefined;
      parts[place] = escape(value);
    }
    return parts.join('') as SeriesText;
  }

  /** Remembers the names of a draft that was found to keep the rules, where there is room for them. */
  learn(draft: Draft): void {
    const { limits, names, labels: policy } = this.#rules;
    // Where there are more than an event may have, it was right only because some are empty or dropped.
    if (draft.labels.length > limits.labelsMax) return;
    const characters = charactersOf(draft);
    // No series has so long names, and they would not be hashed whole.
    if (characters > HASHED_UNITS_MAX) return;
    if (!this.#hasRoom(draft.labels.length + 1, characters) || this.#layoutOf(draft) !== undefined) return;
    const metric = interned(draft.metric ?? this.#rules.metric);
    const raws = draft.labels.map(([raw]) => interned(raw));
    const stored = raws.map((raw) => labelName(raw, limits, names));
    const kept = stored.filter((name) => keepsLabel(policy, name)).toSorted();
    const ranks = new Map(kept.map((name, rank) => [name, rank]));
    this.#labels += raws.length + 1;
    this.#characters += characters;
    let last = this.#known;
    for (const name of [metric, ...raws]) last = last.next(name) ?? last.grow(name, undefined);
    last.value = {
      parts: seriesParts(metric, kept),
      places: stored.map((name) => {
        const rank = ranks.get(name);
        return rank === undefined ? -1 : rank * 2 + 1;
      }),
    };
  }

  #layoutOf({ metric = this.#rules.metric, labels }: Draft): Layout | undefined {
    let last = this.#known.next(metric);
    for (const pair of labels) {
      if (last === undefined) return undefined;
      last = last.next(pair[0]);
    }
    return last?.value;
  }

  /** Whether so many labels more can be remembered, of names that long; what is forgotten makes room. */
  #hasRoom(labels: number, characters: number): boolean {
    if (this.#labels + labels <= LABELS_MAX && this.#characters + characters <= CHARACTERS_MAX) return true;
    this.#without += 1;
    if (this.#without <= WITHOUT_MAX) return false;
    this.#known = new Branch('', undefined);
    this.#labels = 0;
    this.#characters = 0;
    this.#without = 0;
    return true;
  }
}

function charactersOf({ metric = '', labels }: Draft): number {
  let characters = metric.length;
  for (const [name] of labels) characters += name.length;
  return characters;
}
