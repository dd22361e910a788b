import * as fc from 'fast-check';
import { anyLabelName, anyLabelValue, anyMetricName, anySampleValue } from './randomEvents.ts';
import type { Entry } from '../../src/core/entry.ts';
import { RefusedError } from '../../src/core/errors.ts';
import { draftFromPairs } from '../../src/intake/draft.ts';
import { eventFromDraft } from '../../src/intake/eventFromDraft.ts';
import { millis } from '../../src/core/millis.ts';
import { offset } from '../../src/core/offset.ts';

const RULES = {
  metric: 'events',
  names: 'utf8',
  limits: {
    labelsMax: 8,
    labelNameBytesMax: 64,
    labelValueBytesMax: 4096,
    seriesBytesMax: 8192,
    idBytesMax: 32,
  },
  reserved: () => false,
} as const;

const anyName = fc.oneof(
  fc.constantFrom(
    'a.b',
    'a_b',
    'a b',
    '._name__',
    '_name_',
    'escaped_from',
    '"',
    '\\',
    '\n',
    '{',
    ',',
    '9',
    '🚀',
    'x_total',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  anyLabelName,
  anyMetricName,
);
const anyPairs = fc.uniqueArray(fc.tuple(anyName, anyLabelValue), {
  maxLength: 4,
  selector: ([name]) => name,
});

/** Series that are accepted, whatever they are named. */
export const anySeries = fc.tuple(anyName, anyPairs).map(([metric, pairs]) => {
  try {
    return eventFromDraft(draftFromPairs([...pairs, ['__name__', metric]]), RULES).series;
  } catch (error) {
    if (error instanceof RefusedError) return eventFromDraft(draftFromPairs([]), RULES).series;
    throw error;
  }
});

/** A log of few series, so that they repeat, with ends among them; the times of a series strictly increase. */
export const anyLog: fc.Arbitrary<readonly Entry[]> = fc
  .tuple(
    fc.array(anySeries, { minLength: 1, maxLength: 8 }),
    fc.array(fc.tuple(fc.nat(), anySampleValue, fc.boolean()), { maxLength: 30 }),
  )
  .map(([series, samples]) =>
    samples.map(([which, value, isEvent], index): Entry => {
      const time = millis(1_700_000_000_000 + index * 7);
      const of = series[which % series.length] as Entry['series'];
      return {
        kind: isEvent ? 'event' : 'end',
        series: of,
        value,
        time,
        arrived: time,
        offset: offset(index + 1),
      };
    }),
  );
