import type { Transform } from './transforms.ts';

/**
 * The language of mappings, as it stands in config.json and in the presets: how a webhook's body becomes events. It is data: it has no
 * expressions and no patterns, so that what it costs is bounded by the size of the mapping and of the body. `compile.ts` reads and checks it,
 * `map.ts` runs it, docs/ingest/webhooks.md explains it.
 */
export interface MappingSource extends ShapeSource {
  /** A JSON pointer to the array of events, empty where the body is one. Absent, the body is one event. */
  readonly each?: string;
  /** Kinds of events by name: the first whose conditions hold is taken, with what stands above added. None holds: no event. */
  readonly kinds?: Readonly<Record<string, ShapeSource>>;
  /** Labels to leave out, of a preset or of `labelsFrom`. */
  readonly drop?: readonly string[];
}

/** For each reference the texts that are meant; null stands for none. */
export type Conditions = Readonly<Record<string, readonly (string | null)[]>>;

/** How one event is read. */
export interface ShapeSource {
  /** All must hold. */
  readonly when?: Conditions;
  /** The same, of which none may hold. */
  readonly unless?: Conditions;
  /** The metric's name; absent, it is that of the setting `event.metric`. */
  readonly metric?: string;
  readonly labels?: Readonly<Record<string, LabelSource>>;
  readonly labelsFrom?: SpreadSource;
  readonly value?: FromSource | { readonly const: number };
  readonly time?: TimeSource | readonly TimeSource[];
  /** A text with references in braces; of several the first whose references all have a text. It is the webhook's own; of an `each` it must tell the items apart. */
  readonly id?: FromSource;
}

/** One reference, or several, of which the first that has a text is taken; an object or an array has none. */
export type FromSource = string | readonly string[];

/** A reference alone, or with what is to be made of it; or a constant. */
export type LabelSource =
  | string
  | { readonly const: string }
  | {
      readonly from: FromSource;
      readonly as?: readonly Transform[];
      /** The only values there may be; any other becomes `other`. */
      readonly allow?: readonly string[];
      /** Where there is none. Absent, the label is left out then. */
      readonly default?: string;
      /** The most characters; the rest is cut off. */
      readonly max?: number;
    };

/** All members of an object become labels. */
export interface SpreadSource {
  readonly from: string;
  /** Put before the name of a member whose label the mapping gives already. */
  readonly prefix: string;
}

/** A reference alone is told apart by its form: RFC 3339, or Unix seconds or milliseconds by size. */
export type TimeSource =
  | string
  | {
      readonly from: string;
      /** `auto` where it doesn't say. */
      readonly unit?: TimeUnit;
      /** The zone of times that name none: `utc`, or an offset such as `+02:00`. */
      readonly zone?: string;
      /** It is looked at only where all of these hold. */
      readonly when?: Conditions;
    };

export const TIME_UNITS = ['rfc3339', 's', 'ms', 'auto'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** What a mapping may measure. */
export const MAPPING_LIMITS = {
  kindsMax: 64,
  labelsMax: 64,
  /** Members of an object that become labels. */
  spreadMax: 64,
  conditionsMax: 16,
  alternativesMax: 8,
  transformsMax: 8,
  allowMax: 1000,
  textCharactersMax: 1024,
  /** Characters of a label's value, where the mapping doesn't say. */
  valueCharactersDefault: 128,
  valueCharactersMax: 4096,
} as const;

/** What a value beyond an allow-list becomes. */
export const OTHER = 'other';
