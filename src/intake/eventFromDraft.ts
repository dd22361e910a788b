import type { Draft, DraftFields } from './draft.ts';
import { PARAMETERS, givenTwice } from './draft.ts';
import type { Event } from './event.ts';
import { RefusedError, shown } from '../core/errors.ts';
import { checkId, idIn } from './id.ts';
import type { LabelPolicy } from './keptLabels.ts';
import { cutToBytes, keepsLabel } from './keptLabels.ts';
import type { Layouts } from './layout.ts';
import type { EventRules } from './rules.ts';
import { checkLabelValue, checkMetricName, labelName } from '../core/labels.ts';
import type { EventLimits } from '../core/limits.ts';
import type { Label, SeriesText } from '../core/series.ts';
import { writeSeries } from '../core/series.ts';
import { HASHED_UNITS_MAX, TextMap } from '../core/textMap.ts';
import { parseTimestamp } from '../core/timestamp.ts';
import { utf8Bytes } from '../core/utf8.ts';
import { parseSampleValue } from '../core/value.ts';

/**
 * What becomes of a value that is too long, and of labels beyond the most that an event may have: for a sender that can't react, values are cut,
 * and the last labels left out, also where the series would be too long.
 */
export type TooMuch = 'refuse' | 'cut';

/**
 * Checks a draft against the rules. A label with an empty value is no label, as everywhere in Prometheus. With `layouts`, which are of the
 * same rules, names that came before aren't checked again. Throws a RefusedError that names the field as `fields` call it.
 */
export function eventFromDraft(
  draft: Draft,
  rules: EventRules,
  fields: DraftFields = PARAMETERS,
  layouts?: Layouts,
  tooMuch: TooMuch = 'refuse',
): Event {
  const { metric, value, timestamp, id } = draft;
  const quick = layouts?.seriesOf(draft);
  // A series that is too long loses labels, one by one.
  const known =
    quick !== undefined && tooMuch === 'cut' && isTooLong(quick, rules.limits) ? undefined : quick;
  if (known === undefined && metric !== undefined)
    checkMetricName(fields.metric, metric, rules.limits, rules.reserved, rules.names);
  const sample = value === undefined ? 1 : parseSampleValue(fields.value, String(value));
  const sent = timestamp === undefined ? undefined : parseTimestamp(fields.timestamp, String(timestamp));
  let series = known;
  let truncated = 0;
  let leftOut = 0;
  if (series === undefined) {
    const labels = checkedLabels(draft.labels, rules, fields.labels, tooMuch);
    const kept = [...labels.checked];
    series = writeSeries(metric ?? rules.metric, kept);
    ({ truncated, leftOut } = labels);
    if (tooMuch === 'cut') {
      for (; kept.length > 0 && isTooLong(series, rules.limits); leftOut += 1) {
        kept.pop();
        series = writeSeries(metric ?? rules.metric, kept);
      }
    }
    layouts?.learn(draft);
  }
  checkSeries(series, rules.limits);
  if (sent === undefined && id === undefined && truncated + leftOut === 0) return { series, value: sample };
  return {
    series,
    value: sample,
    ...(sent !== undefined && { sent }),
    ...(id !== undefined && { id: idOf(draft, fields.id, rules.limits) }),
    ...(truncated > 0 && { truncated }),
    ...(leftOut > 0 && { leftOut }),
  };
}

/** The id with its space, which a sender may choose, too. */
function idOf({ id = '', idSpace }: Draft, field: string, { idBytesMax }: EventLimits): string {
  const whole = idIn(idSpace, checkId(field, id, idBytesMax));
  if (whole.length <= HASHED_UNITS_MAX) return whole;
  throw new RefusedError(
    field,
    `${field} ${shown(id)} and its source are longer than ${HASHED_UNITS_MAX} characters together; shorten the source`,
  );
}

function checkedLabels(
  labels: Draft['labels'],
  { limits, names, labels: policy }: EventRules,
  prefix: string,
  tooMuch: TooMuch,
): { readonly checked: readonly Label[]; readonly truncated: number; readonly leftOut: number } {
  const seen = new TextMap<true>();
  const checked: Label[] = [];
  const isCut = tooMuch === 'cut';
  const bytesKept = bytesKeptOf(policy, isCut ? limits.labelValueBytesMax : Infinity);
  let truncated = 0;
  let leftOut = 0;
  for (const [raw, value] of labels) {
    const name = labelName(raw, limits, names, prefix);
    if (seen.has(name)) throw raw === name ? givenTwice(prefix + raw, raw) : becomesTwice(prefix, raw, name);
    seen.set(name, true);
    if (value === '' || !keepsLabel(policy, name)) continue;
    if (isCut && checked.length === limits.labelsMax) {
      leftOut += 1;
      continue;
    }
    const kept = bytesKept < Infinity ? cutToBytes(value, bytesKept) : value;
    if (kept !== value) truncated += 1;
    checkLabelValue(prefix + name, kept, limits);
    // Nothing is left of a value whose first character is longer than what is kept.
    if (kept !== '') checked.push({ name, value: kept });
    if (checked.length > limits.labelsMax) {
      throw new RefusedError(
        'labels',
        `an event can have at most ${limits.labelsMax} labels; send fewer, or raise event.labelsMax`,
      );
    }
  }
  return { checked, truncated, leftOut };
}

/** How much of a value is kept, in bytes of UTF-8. */
function bytesKeptOf(policy: LabelPolicy | undefined, most: number): number {
  const kept = policy?.valueBytesKept ?? 0;
  return kept > 0 ? Math.min(kept, most) : most;
}

/** A text is bounded as it is written, since that is what is stored, kept and sent: escapes may double it. Throws a RefusedError. */
function isTooLong(series: SeriesText, { seriesBytesMax }: EventLimits): boolean {
  return utf8Bytes(series, seriesBytesMax) > seriesBytesMax;
}

function checkSeries(series: SeriesText, limits: EventLimits): void {
  if (!isTooLong(series, limits)) return;
  const { seriesBytesMax } = limits;
  const bytes = utf8Bytes(series, seriesBytesMax);
  throw new RefusedError(
    'labels',
    `metric name and labels together are ${bytes} bytes long, escaped as in a scrape (${shown(series)}); ` +
      `the limit is ${seriesBytesMax} bytes: shorten them, send fewer labels, or raise event.seriesMax`,
  );
}

function becomesTwice(prefix: string, raw: string, name: string): RefusedError {
  return new RefusedError(
    prefix + raw,
    `${shown(raw)} becomes the label ${shown(name)}, which already exists; rename one of them`,
  );
}
