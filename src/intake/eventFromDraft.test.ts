import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anyLabelName,
  anyLabelValue,
  anyMetricName,
  anySampleValue,
} from '../../test/support/randomEvents.ts';
import { parseSamples } from '../../test/support/strictParser.ts';
import { RefusedError } from '../core/errors.ts';
import type { Event } from './event.ts';
import type { EventRules } from './rules.ts';
import { draftFromPairs, PARAMETERS } from './draft.ts';
import { eventFromDraft } from './eventFromDraft.ts';
import { formatSampleValue } from '../core/value.ts';
import { WIDE_LIMITS } from '../../test/support/rules.ts';

const RULES: EventRules = {
  metric: 'events_to_metrics',
  names: 'legacy',
  limits: { ...WIDE_LIMITS, idBytesMax: 32 },
  reserved: (metric) => metric === 'oneshot_own',
};

type Pairs = readonly (readonly [string, string])[];
const make = (...pairs: Pairs) => eventFromDraft(draftFromPairs(pairs), RULES);
const labels = (count: number): Pairs =>
  Array.from({ length: count }, (_, index) => [`l${index}`, 'x'] as const);

function refusal(pairs: Pairs): RefusedError {
  try {
    eventFromDraft(draftFromPairs(pairs), RULES);
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

/** The event, or undefined where it is refused. */
function acceptedOf(pairs: Pairs): Event | undefined {
  try {
    return eventFromDraft(draftFromPairs(pairs), RULES);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

describe('of a sender that can not react', () => {
  const cut = (pairs: Pairs, rules = RULES) =>
    eventFromDraft(draftFromPairs(pairs), rules, PARAMETERS, undefined, 'cut');

  test('the labels beyond the most are left out, the last first, and counted', () => {
    const { series, leftOut } = cut([...labels(64), ['z1', 'x'], ['empty', ''], ['z2', 'x']]);
    expect(series).toBe(eventFromDraft(draftFromPairs(labels(64)), RULES).series);
    expect(leftOut).toBe(2);
    expect(cut(labels(64)).leftOut).toBeUndefined();
  });

  test('values are cut at a character, and counted', () => {
    const { series, truncated } = cut([
      ['a', 'ü'.repeat(2_049)],
      ['b', 'x'.repeat(4_000)],
    ]);
    const expected: Pairs = [
      ['a', 'ü'.repeat(2_048)],
      ['b', 'x'.repeat(4_000)],
    ];
    expect(series).toBe(eventFromDraft(draftFromPairs(expected), RULES).series);
    expect(truncated).toBe(1);
  });

  test('the last labels are left out where the series would be too long', () => {
    const long = Array.from({ length: 4 }, (_, n): [string, string] => [`l${n}`, '"'.repeat(1_500)]);
    const { series, leftOut } = cut(long);
    expect(series).toBe(eventFromDraft(draftFromPairs(long.slice(0, 2)), RULES).series);
    expect(leftOut).toBe(2);
  });

  test('labels.valueTruncate cuts further', () => {
    const policy = { drop: new Set<string>(), keep: new Set<string>(), valueBytesKept: 3 };
    expect(cut([['a', 'abcd']], { ...RULES, labels: policy })).toMatchObject({
      series: 'events_to_metrics{a="abc"}',
      truncated: 1,
    });
  });
});

describe('an event', () => {
  test('of nothing is the default metric with value 1', () => {
    expect(make()).toEqual({ series: 'events_to_metrics', value: 1 });
  });

  test('takes value and __name__ for itself, and the rest as labels', () => {
    expect(make(['env', 'prod'], ['value', '2.5'], ['__name__', 'deploys'])).toEqual({
      series: 'deploys{env="prod"}',
      value: 2.5,
    });
  });

  test('drops labels whose value is empty', () => {
    expect(make(['a', ''], ['b', 'x']).series).toBe('events_to_metrics{b="x"}');
  });

  test('takes 64 labels, empty ones not counted, and refuses 65', () => {
    expect(
      make(...labels(64), ['value', '1'], ['__name__', 'a'], ['empty', '']).series.split(','),
    ).toHaveLength(64);
    expect(refusal(labels(65))).toMatchObject({
      field: 'labels',
      message: expect.stringContaining('at most 64 labels'),
    });
  });

  test.each([
    [
      'a label',
      [
        ['a', '1'],
        ['a', '1'],
      ],
      'a',
    ],
    [
      'a label, empty at first',
      [
        ['a', ''],
        ['a', '1'],
      ],
      'a',
    ],
    [
      'the value',
      [
        ['value', '1'],
        ['value', '1'],
      ],
      'value',
    ],
    [
      'the metric',
      [
        ['__name__', 'a'],
        ['__name__', 'a'],
      ],
      '__name__',
    ],
  ] as const)('is refused where %s is given twice', (_what, pairs, field) => {
    expect(refusal(pairs)).toMatchObject({ field, message: expect.stringContaining('more than once') });
  });

  test('is refused where two names become one label, and the error names both', () => {
    const { message } = refusal([
      ['my_label', '1'],
      ['my label', '2'],
    ]);
    expect(message).toContain('"my label" becomes the label "my_label"');
  });

  test.each([
    ['value', [['value', 'one']]],
    ['__name__', [['__name__', '1st']]],
    ['__name__', [['__name__', 'up']]],
    ['__name__', [['__name__', 'oneshot_own']]],
    ['a-b', [['a-b', 'x']]],
    ['__x', [['__x', '']]],
    ['a', [['a', 'x'.repeat(4097)]]],
  ] as const)('is refused by a rule broken in %s, and the error names that', (field, pairs) => {
    expect(refusal(pairs).field).toBe(field);
  });

  test('that is accepted is read from its rendered line by a strict parser, label for label and bit for bit', () => {
    const anyPairs = fc.uniqueArray(fc.tuple(anyLabelName, anyLabelValue), {
      maxLength: 10,
      selector: ([name]) => name.replaceAll(' ', '_'),
    });
    fc.assert(
      fc.property(anyPairs, anyMetricName, anySampleValue, (pairs, metric, value) => {
        const made = eventFromDraft(
          draftFromPairs([...pairs, ['__name__', metric], ['value', formatSampleValue(value)]]),
          RULES,
        );
        const [sample] = parseSamples(Buffer.from(`${made.series} ${formatSampleValue(made.value)}\n`));
        const kept = pairs
          .filter(([, text]) => text !== '')
          .map(([name, text]) => [name.replaceAll(' ', '_'), text] as const);
        expect(sample?.name).toBe(metric);
        expect(sample?.labels).toEqual(new Map(kept));
        expect(sample?.value).toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  test('of any texts at all is either refused, or valid when rendered', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      anyLabelName,
      fc.constantFrom('value', '__name__', '', 'up'),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyText, fc.oneof(anyLabelValue, anyText, fc.constant('\ud800')))),
        (pairs) => {
          const made = acceptedOf(pairs);
          const line = `${made?.series} ${formatSampleValue(made?.value ?? 0)}\n`;
          expect(made === undefined ? 1 : parseSamples(Buffer.from(line)).length).toBe(1);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('keeps names beyond the legacy charset where they are taken, spaces too', () => {
    const utf8: EventRules = { ...RULES, names: 'utf8' };
    const pairs: Pairs = [
      ['__name__', 'deploys.done'],
      ['my label', '1'],
      ['my_label', '2'],
      ['value', '3'],
    ];
    expect(eventFromDraft(draftFromPairs(pairs), utf8)).toEqual({
      series: '{"deploys.done","my label"="1",my_label="2"}',
      value: 3,
    });
    expect(() => eventFromDraft(draftFromPairs([['a.b', 'x']]), RULES)).toThrow(
      /event\.names=utf8 accepts it/,
    );
  });

  test('refuses a series that is too long as it is written, in bytes, and says how long it is', () => {
    const ofBytes = (bytes: number): Pairs => [
      ['a', '\n'.repeat(2000)],
      ['b', 'ü'.repeat(2000)],
      ['c', 'x'.repeat(bytes - 8000 - 'events_to_metrics{a="",b="",c=""}'.length)],
    ];
    expect(Buffer.byteLength(make(...ofBytes(8192)).series)).toBe(8192);
    const { field, message } = refusal(ofBytes(8193));
    expect(field).toBe('labels');
    expect(message).toMatch(/are 8193 bytes long.*the limit is 8192 bytes.*raise event\.seriesMax/);
  });

  test('refuses an id that is too long with the source it belongs to, though that is no label', () => {
    const rules: EventRules = {
      ...RULES,
      labels: { drop: new Set(['source']), keep: new Set(), valueBytesKept: 0 },
    };
    const ofSource = (length: number) => () =>
      eventFromDraft({ id: 'i', idSpace: 's'.repeat(length), labels: [] }, rules);
    expect(ofSource(16_381)).not.toThrow();
    expect(ofSource(16_382)).toThrow(/shorten the source/);
  });
});
