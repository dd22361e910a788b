import { describe, expect, test } from 'vitest';
import type { Random } from '../../test/support/randomEvents.ts';
import { mulberry32 } from '../../test/support/randomEvents.ts';
import type { Draft } from './draft.ts';
import { RefusedError } from '../core/errors.ts';
import type { Event } from './event.ts';
import type { TooMuch } from './eventFromDraft.ts';
import type { EventRules } from './rules.ts';
import { eventFromDraft } from './eventFromDraft.ts';
import { Layouts } from './layout.ts';

const RULES: EventRules = {
  metric: 'events',
  names: 'legacy',
  limits: {
    labelsMax: 4,
    labelNameBytesMax: 20,
    labelValueBytesMax: 30,
    seriesBytesMax: 60,
    idBytesMax: 32,
  },
  reserved: (metric) => metric === 'oneshot_own',
};
const UTF8: EventRules = { ...RULES, names: 'utf8' };
const POLICY: EventRules = {
  ...RULES,
  labels: { drop: new Set(['b', 'my_label']), keep: new Set(), valueBytesKept: 0 },
};
const KEEPING: EventRules = {
  ...RULES,
  labels: { drop: new Set(), keep: new Set(['a', 'c']), valueBytesKept: 4 },
};

type Labels = Draft['labels'];

function seriesOf(layouts: Layouts, ...labels: Labels): string | undefined {
  return layouts.seriesOf({ labels });
}

describe('a layout', () => {
  test('is known once a draft of these names was learned, and of these in this order only', () => {
    const layouts = new Layouts(RULES);
    expect(seriesOf(layouts, ['b', '1'], ['a', '2'])).toBeUndefined();
    layouts.learn({
      labels: [
        ['b', 'x'],
        ['a', 'y'],
      ],
    });
    expect(seriesOf(layouts, ['b', '1'], ['a', '2'])).toBe('events{a="2",b="1"}');
    expect(seriesOf(layouts, ['a', '1'], ['b', '2'])).toBeUndefined();
    expect(seriesOf(layouts, ['b', '1'])).toBeUndefined();
    expect(seriesOf(layouts, ['b', '1'], ['a', '2'], ['c', '3'])).toBeUndefined();
    expect(seriesOf(layouts)).toBeUndefined();
  });

  test('belongs to its metric; the one that is meant where none is named may be named too', () => {
    const layouts = new Layouts(RULES);
    layouts.learn({ metric: 'deploys', labels: [['a', 'x']] });
    layouts.learn({ labels: [] });
    expect(layouts.seriesOf({ metric: 'deploys', labels: [['a', '1']] })).toBe('deploys{a="1"}');
    expect(layouts.seriesOf({ labels: [['a', '1']] })).toBeUndefined();
    expect(layouts.seriesOf({ metric: 'events', labels: [] })).toBe('events');
  });

  test('says nothing of a value that is empty, too long or may be cut, or is no whole Unicode', () => {
    const layouts = new Layouts(RULES);
    layouts.learn({ labels: [['a', 'x']] });
    expect(seriesOf(layouts, ['a', 'x'.repeat(30)])).toBe(`events{a="${'x'.repeat(30)}"}`);
    expect(seriesOf(layouts, ['a', 'x'.repeat(31)])).toBeUndefined();
    expect(seriesOf(layouts, ['a', ''])).toBeUndefined();
    expect(seriesOf(layouts, ['a', '\ud800'])).toBeUndefined();
    expect(seriesOf(layouts, ['a', '"\\\n\u{1f600}'])).toBe('events{a="\\"\\\\\\n\u{1f600}"}');
    const cutting = new Layouts(KEEPING);
    cutting.learn({ labels: [['a', 'x']] });
    expect(seriesOf(cutting, ['a', 'x'])).toBe('events{a="x"}');
    expect(seriesOf(cutting, ['a', 'xx'])).toBeUndefined();
  });

  test('leaves out what the policy drops, whatever its value', () => {
    const layouts = new Layouts(POLICY);
    layouts.learn({
      labels: [
        ['my label', 'x'],
        ['a', 'y'],
        ['b', 'z'],
      ],
    });
    expect(seriesOf(layouts, ['my label', ''], ['a', '1'], ['b', '2'.repeat(100)])).toBe('events{a="1"}');
  });

  test('is not remembered of more labels than an event may have, of which some were empty', () => {
    const layouts = new Layouts(RULES);
    const labels = (value: string): Labels => [
      ['a', '1'],
      ['b', '1'],
      ['c', '1'],
      ['d', '1'],
      ['e', value],
    ];
    expect(eventFromDraft({ labels: labels('') }, RULES, undefined, layouts).series).toBe(
      'events{a="1",b="1",c="1",d="1"}',
    );
    expect(() => eventFromDraft({ labels: labels('1') }, RULES, undefined, layouts)).toThrow(
      /at most 4 labels/,
    );
  });

  test('is not remembered when there are too many; all are forgotten when far more events of other kinds have come', () => {
    const layouts = new Layouts(RULES);
    const learn = (name: string) => layouts.learn({ labels: [[name, 'x']] });
    for (let n = 0; n < 8192; n += 1) learn(`l${n}`);
    expect(seriesOf(layouts, ['l0', '1'])).toBe('events{l0="1"}');
    expect(seriesOf(layouts, ['l8191', '1'])).toBe('events{l8191="1"}');
    for (let n = 0; n < 65_536; n += 1) learn('a');
    expect(seriesOf(layouts, ['a', '1'])).toBeUndefined();
    expect(seriesOf(layouts, ['l8191', '1'])).toBe('events{l8191="1"}');
    learn('a');
    expect(seriesOf(layouts, ['l8191', '1'])).toBeUndefined();
    expect(seriesOf(layouts, ['a', '1'])).toBe('events{a="1"}');
  });
});

const NAMES = ['a', 'b', 'c', 'my label', 'my_label', 'd.e', '__x', '', 'n'.repeat(21), '\ud800'];
const VALUES = [
  'x',
  'deploy',
  'long enough, if four',
  '"\n\\',
  'é\u{1f600}',
  '',
  '\ud800',
  'x'.repeat(11),
  'x'.repeat(31),
];
const METRICS = ['events', 'deploys', 'd.e', 'up', 'oneshot_own', ''];

function anyDraft(random: Random): Draft {
  // What is usual comes far more often than the rest.
  const pick = <T>(all: readonly T[], usual: number): T =>
    all[Math.floor(random() * (random() < 0.1 ? all.length : usual))] as T;
  const draft: { -readonly [Part in keyof Draft]: Draft[Part] } = {
    labels: Array.from(
      { length: Math.floor(random() * 6) },
      () => [pick(NAMES, 4), pick(VALUES, 4)] as const,
    ),
  };
  if (random() < 0.3) draft.metric = pick(METRICS, 2);
  if (random() < 0.2) draft.value = pick(['1', '-2.5', 'NaN', 'x'], 3);
  if (random() < 0.2) draft.timestamp = pick(['1795521570', '2026-11-24T12:00:00Z', 'x'], 2);
  if (random() < 0.2) draft.id = pick(['i', 'j', '', '\n'], 2);
  return draft;
}

/** The event, or what its refusal says. */
function outcomeOf(
  draft: Draft,
  rules: EventRules,
  tooMuch: TooMuch,
  layouts?: Layouts,
): Event | readonly string[] {
  try {
    return eventFromDraft(draft, rules, undefined, layouts, tooMuch);
  } catch (error) {
    if (error instanceof RefusedError) return [error.field, error.message];
    throw error;
  }
}

test.each(
  (
    [
      ['legacy names', RULES],
      ['UTF-8 names', UTF8],
      ['labels that are dropped', POLICY],
      ['labels that are kept, and values that are cut', KEEPING],
    ] as const
  ).flatMap(([what, rules]) =>
    (['refuse', 'cut'] as const).map((tooMuch) => [what, tooMuch, rules] as const),
  ),
)(
  'random drafts become what they become without layouts, or are refused in the same words: %s, what is too much: %s',
  (_what, tooMuch, rules) => {
    const random = mulberry32(7);
    const layouts = new Layouts(rules);
    let known = 0;
    let refused = 0;
    for (let n = 0; n < 5000; n += 1) {
      const draft = anyDraft(random);
      if (layouts.seriesOf(draft) !== undefined) known += 1;
      const outcome = outcomeOf(draft, rules, tooMuch);
      if (Array.isArray(outcome)) refused += 1;
      expect(outcomeOf(draft, rules, tooMuch, layouts)).toEqual(outcome);
    }
    expect(known).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(500);
  },
);
