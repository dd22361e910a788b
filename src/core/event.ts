import { RefusedError, shown } from './errors.ts';
import type { EventNames } from './labels.ts';
import { checkLabelValue, checkMetricName, labelName } from './labels.ts';
import type { EventLimits } from './limits.ts';
import type { Millis } from './millis.ts';
import type { Label, SeriesText } from './series.ts';
import { writeSeries } from './series.ts';
import { parseTimestamp } from './timestamp.ts';
import { parseSampleValue } from './value.ts';

/** Something that happened once, checked and ready for the log; the log gives it its offset, the relay its time. */
export interface Event {
  readonly series: SeriesText;
  readonly value: number;
  /** The time that its sender gave it, if any. */
  readonly sent?: Millis;
}

/** What an event is checked against. */
export interface EventRules {
  /** The metric's name where the event names none. */
  readonly metric: string;
  readonly limits: EventLimits;
  readonly names: EventNames;
  /** Tells the names of this server's own metrics. */
  readonly reserved: (metric: string) => boolean;
}

const NAME_PARAMETER = '__name__';
const VALUE_PARAMETER = 'value';
const TIMESTAMP_PARAMETER = '__timestamp__';
/** Parameters that are no labels. */
const SPECIAL = new Set([NAME_PARAMETER, VALUE_PARAMETER, TIMESTAMP_PARAMETER]);

/**
 * Makes an event of named texts: `value` is the sample's value (default 1), `__name__` the metric's name,
 * `__timestamp__` the event's time, everything else a label.
 * A label with an empty value is no label, as everywhere in Prometheus. Throws a RefusedError that names the field.
 */
export function eventFromPairs(
  pairs: readonly (readonly [name: string, value: string])[],
  rules: EventRules,
): Event {
  let metric = rules.metric;
  let value = 1;
  let sent: Millis | undefined;
  const names = new Set<string>();
  const labels: Label[] = [];
  for (const [raw, text] of pairs) {
    const name = SPECIAL.has(raw) ? raw : labelName(raw, rules.limits, rules.names);
    if (names.has(name)) throw repeated(raw, name);
    names.add(name);
    if (raw === NAME_PARAMETER)
      metric = checkMetricName(raw, text, rules.limits, rules.reserved, rules.names);
    else if (raw === VALUE_PARAMETER) value = parseSampleValue(raw, text);
    else if (raw === TIMESTAMP_PARAMETER) sent = parseTimestamp(raw, text);
    else if (text !== '') {
      checkLabelValue(name, text, rules.limits);
      labels.push({ name, value: text });
      if (labels.length > rules.limits.labelsMax) {
        throw new RefusedError(
          'labels',
          `an event takes at most ${rules.limits.labelsMax} labels; send fewer or raise the limit`,
        );
      }
    }
  }
  const series = writeSeries(metric, labels);
  return sent === undefined ? { series, value } : { series, value, sent };
}

function repeated(raw: string, name: string): RefusedError {
  return raw === name
    ? new RefusedError(
        name,
        `${shown(raw)} is given more than once; each name may stand only once, in the URL and the body together`,
      )
    : new RefusedError(
        raw,
        `${shown(raw)} becomes the label ${shown(name)}, which is given already; rename one of the two`,
      );
}
