import { RefusedError, shown } from '../core/errors.ts';

/** What a format reads of one event: texts and numbers as they were sent, of which no rule has been applied yet. */
export interface Draft {
  /** The metric's name; absent, it is that of the setting `event.metric`. */
  readonly metric?: string;
  /** In the order in which they were sent; a name may stand twice, and is refused then. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** The sample's value, or its text; absent, it is 1. */
  readonly value?: number | string;
  /** RFC 3339, or Unix seconds or milliseconds; absent, the event gets the time of its arrival. */
  readonly timestamp?: number | string;
  /** What tells the event apart from all others, so that it is stored once however often it is sent. */
  readonly id?: string;
  /** Whose id it is, where others might give out the same. Absent, the sender has chosen it for this server. */
  readonly idSpace?: string;
}

/** One event of a body as its format reads it, or why it can't be read though others can. */
export type Read = Draft | RefusedError;

/** What the parts of a draft are called where it came from; an error names one of them. */
export interface DraftFields {
  readonly metric: string;
  readonly value: string;
  readonly timestamp: string;
  readonly id: string;
  /** Stands before a label's name: `labels.`, or nothing. */
  readonly labels: string;
}

/** As parameters of a URL or a form. All but `value` begin as no label may. */
export const PARAMETERS = {
  metric: '__name__',
  value: 'value',
  timestamp: '__timestamp__',
  id: '__id__',
  labels: '',
} as const satisfies DraftFields;

type Special = 'metric' | 'value' | 'timestamp' | 'id';

/** The part of a draft that a parameter is, if it is no label. */
function specialOf(name: string): Special | undefined {
  if (name === PARAMETERS.value) return 'value';
  if (!name.startsWith('__')) return undefined;
  if (name === PARAMETERS.metric) return 'metric';
  if (name === PARAMETERS.timestamp) return 'timestamp';
  return name === PARAMETERS.id ? 'id' : undefined;
}

/** Makes a draft of parameters: those that are no labels are found by their names. Throws a RefusedError for one of these given twice. */
export function draftFromPairs(pairs: readonly (readonly [name: string, value: string])[]): Draft {
  const labels: (readonly [string, string])[] = [];
  const draft: { -readonly [Part in keyof Draft]: Draft[Part] } = { labels };
  for (const pair of pairs) {
    const special = specialOf(pair[0]);
    if (special === undefined) labels.push(pair);
    else if (draft[special] !== undefined) throw givenTwice(pair[0]);
    else draft[special] = pair[1];
  }
  return draft;
}

/** The error for a name that stands twice. */
export function givenTwice(field: string, name = field): RefusedError {
  return new RefusedError(
    field,
    `${shown(name)} appears more than once; each name can appear only once in the URL and the body together`,
  );
}
