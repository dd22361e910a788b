import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventRules } from './rules.ts';
import { draftFromPairs } from './draft.ts';
import { eventFromDraft } from './eventFromDraft.ts';
import type { LabelPolicy } from './keptLabels.ts';
import { cutToBytes } from './keptLabels.ts';

const OFF: LabelPolicy = { drop: new Set(), keep: new Set(), valueBytesKept: 0 };

function eventWith(policy: Partial<LabelPolicy>, pairs: readonly (readonly [string, string])[]) {
  const rules: EventRules = {
    metric: 'm',
    names: 'legacy',
    limits: {
      labelsMax: 2,
      labelNameBytesMax: 16,
      labelValueBytesMax: 10,
      seriesBytesMax: 8192,
      idBytesMax: 10,
    },
    reserved: () => false,
    labels: { ...OFF, ...policy },
  };
  return eventFromDraft(draftFromPairs(pairs), rules);
}

describe('labels', () => {
  test('that are dropped are not stored, and count for no limit', () => {
    const long = ['request_id', 'x'.repeat(100)] as const;
    expect(eventWith({ drop: new Set(['request_id']) }, [long, ['a', '1'], ['b', '2']])).toEqual({
      series: 'm{a="1",b="2"}',
      value: 1,
    });
  });

  test('other than those to be kept are not stored; what is dropped, too, is dropped', () => {
    const policy = { keep: new Set(['a', 'b']), drop: new Set(['b']) };
    expect(
      eventWith(policy, [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ]).series,
    ).toBe('m{a="1"}');
  });

  test('are told by their names as they are stored', () => {
    expect(eventWith({ drop: new Set(['a_b']) }, [['a b', '1']]).series).toBe('m');
  });

  test('given twice are refused though they are dropped', () => {
    expect(() =>
      eventWith({ drop: new Set(['a']) }, [
        ['a', '1'],
        ['a', '2'],
      ]),
    ).toThrow('more than once');
  });

  test('have their values cut at a character, and counted', () => {
    const event = eventWith({ valueBytesKept: 5 }, [
      ['a', 'ääää'],
      ['b', 'short'],
    ]);
    expect(event).toEqual({ series: 'm{a="ää",b="short"}', value: 1, truncated: 1 });
    expect(eventWith({ valueBytesKept: 3 }, [['a', '🚀']])).toEqual({ series: 'm', value: 1, truncated: 1 });
  });
});

test('a text is cut to the longest beginning of whole characters that fits', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.integer({ min: 0, max: 80 }),
      (text, bytesMax) => {
        const cut = cutToBytes(text, bytesMax);
        const bytes = (of: string) => new TextEncoder().encode(of).length;
        expect(text.startsWith(cut)).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
        expect(bytes(cut)).toBeLessThanOrEqual(bytesMax);
        const [next = ''] = text.slice(cut.length);
        if (cut !== text) expect(bytes(cut + next)).toBeGreaterThan(bytesMax);
      },
    ),
  );
});
