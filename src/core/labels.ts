import { RefusedError, shown } from './errors.ts';
import type { EventLimits } from './limits.ts';
import { utf8Bytes } from './utf8.ts';

/**
 * Which names are taken. `legacy`: those that every Prometheus can read. `utf8`: any text that isn't empty and has no NUL, as Prometheus 3 does;
 * an older one gets them escaped (`render/escape.ts`). The setting is `event.names`.
 */
export type EventNames = 'legacy' | 'utf8';

/** Prometheus' legacy charset: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
export const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether a metric's name needs no quotes in a series' notation, and no escaping for any Prometheus. */
export function isLegacyMetricName(name: string): boolean {
  return METRIC_NAME.test(name);
}

/** The same of a label's name, which holds no colon. */
export function isLegacyLabelName(name: string): boolean {
  return LABEL_NAME.test(name);
}

/**
 * Names that every scrape already carries with Prometheus' own meaning: an event of that name would overwrite the target's
 * health. Source: https://prometheus.io/docs/concepts/jobs_instances/
 */
const SYNTHETIC = new Set([
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
  'scrape_timeout_seconds',
  'scrape_sample_limit',
  'scrape_body_size_bytes',
]);

/** What a name looks like to a scraper that asks for underscores. */
const BEYOND_LEGACY = /[^a-zA-Z0-9_:]/gu;

/**
 * Checks a metric's name; `reserved` tells the names of this server's own metrics. Throws a RefusedError.
 * A UTF-8 name must not become a name of those when it is escaped, either: one scrape would show two families of one name.
 */
export function checkMetricName(
  field: string,
  name: string,
  limits: EventLimits,
  reserved: (name: string) => boolean,
  names: EventNames = 'legacy',
): string {
  const fault = faultOf(name, METRIC_NAME, names);
  if (fault !== undefined)
    throw new RefusedError(field, `${field} ${shown(name)} is not a valid metric name; ${fault}`);
  if (utf8Bytes(name, limits.labelNameBytesMax) > limits.labelNameBytesMax)
    throw tooLong(field, 'metric name', name, limits.labelNameBytesMax);
  const escaped = name.replaceAll(BEYOND_LEGACY, '_');
  const becomes = escaped === name ? 'is' : `becomes ${escaped} for older scrapers, which is`;
  if (SYNTHETIC.has(escaped)) {
    throw new RefusedError(
      field,
      `${field} ${shown(name)} ${becomes} a metric that Prometheus itself adds to each scrape; choose another name`,
    );
  }
  if (reserved(escaped)) {
    throw new RefusedError(
      field,
      `${field} ${shown(name)} ${becomes} one of this server's own metrics; choose another name`,
    );
  }
  return name;
}

/**
 * A label's name as it will be stored. Legacy names have `_` for each space; UTF-8 names are kept to the letter, spaces too.
 * Throws a RefusedError, which names it behind `prefix`, for a name that Prometheus would refuse, or take for its own.
 */
export function labelName(
  raw: string,
  limits: EventLimits,
  names: EventNames = 'legacy',
  prefix = '',
): string {
  if (utf8Bytes(raw, limits.labelNameBytesMax) > limits.labelNameBytesMax)
    throw tooLong(prefix + shortField(raw), 'label name', raw, limits.labelNameBytesMax);
  const name = names === 'legacy' && raw.includes(' ') ? raw.replaceAll(' ', '_') : raw;
  const fault = faultOf(name, LABEL_NAME, names);
  if (fault !== undefined)
    throw new RefusedError(prefix + shortField(raw), `label name ${shown(raw)} is not valid; ${fault}`);
  if (name.startsWith('__')) {
    throw new RefusedError(
      prefix + shortField(raw),
      `label name ${shown(raw)} is not valid; names that begin with __ are reserved for Prometheus${prefix === '' ? ', except __name__, __timestamp__ and __id__' : ''}`,
    );
  }
  return name;
}

/** Which rule a name breaks, in words; undefined where it breaks none. */
function faultOf(name: string, legacy: RegExp, names: EventNames): string | undefined {
  // NUL is valid UTF-8, but Prometheus 3.5 refuses a whole text or OpenMetrics scrape for one in a name; in a label's value it takes it.
  const isUtf8 = name !== '' && name.isWellFormed() && !name.includes('\0');
  if (names === 'utf8') return isUtf8 ? undefined : 'it must be valid Unicode, not empty, and without NUL';
  if (legacy.test(name)) return undefined;
  const space = legacy === LABEL_NAME ? ' (a space becomes _)' : '';
  return `it must match ${legacy.source}${space}${isUtf8 ? '; event.names=utf8 accepts it' : ''}`;
}

/** A rule that a label's value breaks. UTF-8 has no form for half a surrogate pair: two different values would become one. */
type ValueFault = 'half a pair' | 'too long';

/** The rules for a label's value, which may be any Unicode text. Undefined where it keeps them all. */
function valueFault(value: string, { labelValueBytesMax }: EventLimits): ValueFault | undefined {
  if (!value.isWellFormed()) return 'half a pair';
  return utf8Bytes(value, labelValueBytesMax) > labelValueBytesMax ? 'too long' : undefined;
}

const VALUE_REFUSALS: Record<
  ValueFault,
  (field: string, value: string, limits: EventLimits) => RefusedError
> = {
  'half a pair': (field) =>
    new RefusedError(
      field,
      `value of label ${shown(field)} contains half a surrogate pair; send valid Unicode`,
    ),
  'too long': (field, value, { labelValueBytesMax }) =>
    tooLong(field, `value of label ${shown(field)}`, value, labelValueBytesMax, 'event.labelValueMax'),
};

/** Whether a label's value keeps the rules. */
export function isLabelValue(value: string, limits: EventLimits): boolean {
  return valueFault(value, limits) === undefined;
}

/** Checks a label's value. Throws a RefusedError that says which rule it breaks. */
export function checkLabelValue(field: string, value: string, limits: EventLimits): void {
  const fault = valueFault(value, limits);
  if (fault !== undefined) throw VALUE_REFUSALS[fault](field, value, limits);
}

function tooLong(
  field: string,
  what: string,
  text: string,
  bytesMax: number,
  setting = 'event.labelNameMax',
): RefusedError {
  return new RefusedError(
    field,
    `${what} ${shown(text)} is longer than ${bytesMax} bytes; shorten it, or raise ${setting}`,
  );
}

function shortField(raw: string): string {
  return raw.length > 64 ? `${raw.slice(0, 64)}…` : raw;
}
