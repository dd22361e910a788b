import { describe, expect, test } from 'vitest';
import type { Random } from '../../test/support/randomEvents.ts';
import { mulberry32 } from '../../test/support/randomEvents.ts';
import type { Draft } from '../intake/draft.ts';
import { RefusedError } from '../core/errors.ts';
import { readJsonEvent } from './jsonEvents.ts';
import { PlainReader } from './plainReader.ts';

/** What the strict reader makes of a text; undefined where it refuses it. */
function strictly(text: string): Draft | undefined {
  try {
    return readJsonEvent(text);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

const plain = (text: string) => new PlainReader().readOne(text);

describe('a plain event', () => {
  test.each([
    ['{}', { labels: [] }],
    ['{"labels":{}}', { labels: [] }],
    [
      '{"labels":{"a":"","b c":"x"}}',
      {
        labels: [
          ['a', ''],
          ['b c', 'x'],
        ],
      },
    ],
    [
      '{"labels":{"labels":"x","__proto__":"y"}}',
      {
        labels: [
          ['labels', 'x'],
          ['__proto__', 'y'],
        ],
      },
    ],
    [
      '{"name":"m","value":-0.50,"timestamp":0,"id":7}',
      { metric: 'm', value: '-0.50', timestamp: '0', id: '7', labels: [] },
    ],
    [
      '{"id":"i","labels":{"n":12345678901234567890},"value":"+Inf"}',
      { id: 'i', labels: [['n', '12345678901234567890']], value: '+Inf' },
    ],
    [
      '{"labels":{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fC\\ud83d\\ude00","b":"\\ud800"},"id":"\\\\"}',
      {
        id: '\\',
        labels: [
          ['a', '"\\/\b\f\n\r\t\u00fc\u{1f600}'],
          ['b', '\ud800'],
        ],
      },
    ],
    [
      ' \t{ "labels" : { "a" : "\u00fc\u{1f600}" , "b":1 } , "value":\t2 }\r\n',
      {
        labels: [
          ['a', '\u00fc\u{1f600}'],
          ['b', '1'],
        ],
        value: '2',
      },
    ],
  ])('%s is read', (text, draft) => {
    expect(plain(text)).toEqual(draft);
    expect(strictly(text)).toEqual(draft);
  });

  test.each([
    ['an escape in a name', '{"labels":{"\\u0061":"x"}}'],
    ['an exponent', '{"value":1e3}'],
    ['a label of true', '{"labels":{"a":true}}'],
    ['a name that is a number', '{"labels":{"b":"x","1":"y"}}'],
    ['lines within it', '{"labels":\n{"a":"x"}}'],
    ['a number of many digits', `{"value":${'9'.repeat(400)}}`],
  ])('has no %s', (_what, text) => {
    expect(plain(text)).toBeUndefined();
  });

  test.each([
    '',
    '{',
    '}',
    '[]',
    '[{}',
    '{}x',
    '{},',
    '{,}',
    '{"a"}',
    '{"labels":{"a":"x",}}',
    '{"labels":{"a":"x"},}',
    '{"labels":{"a":"x"}',
    '{"labels":{"a":"x"',
    '{"labels":{"a":"x',
    '{"labels":{"a":"x","a":"y"}}',
    '{"labels":{},"labels":{"a":"x"}}',
    '{"labels":{"a":"x"},"labels":{}}',
    '{"value":1,"value":2}',
    '{"value":"1","labels":{},"value":2}',
    '{"valeu":1}',
    '{"name":1}',
    '{"value":01}',
    '{"value":-}',
    '{"value":1.}',
    '{"value":.5}',
    '{"value":1 2}',
    '{"value":+1}',
    '{"value":-01}',
    '{"labels":[]}',
    '{"labels":"a"}',
    '{"labels":{"a":"\t"}}',
    '{"labels":{"a":"\u0000"}}',
    '{"labels" {"a":"x"}}',
    "{'labels':{}}",
    '{"labels":{"a":"x"}}}',
    '{"labels":{"a":"x"}} {}',
    '{"labels":{"a":{}}}',
    '{"name":null}',
    '{"name":"\\x"}',
    '{"name":"\\u00g0"}',
    '{"name":"\\',
    '{"name":"\\"',
    '{"name":"\\"}',
    '{"name":"\\\n"}',
    '{"name":"\\n\t"}',
    '\ufeff{}',
  ])('is not %s, which the strict reader refuses', (text) => {
    expect(plain(text)).toBeUndefined();
    expect(text.startsWith('\ufeff') ? undefined : strictly(text)).toBeUndefined();
  });
});

test('a step that begins as an earlier one did is told from it', () => {
  const reader = new PlainReader();
  const texts = [
    '{"labels":{"n":"1"},"value":2}',
    '{"labels":{"n":1}}',
    '{"labels":{"n": 1}}',
    '{"labels":{"n": "1"}}',
    '{"labels":{"n":"1"}}',
    '{"labels":{"n":"1","m":"2"}}',
    '{"labels":{"m":"1","n":"2"}}',
    '{"labels":{"no":"1"}}',
    '{"value":"1"}',
    '{"value":1}',
    '{}',
  ];
  for (const text of [...texts, ...texts.toReversed(), ...texts])
    expect(reader.readOne(text), text).toEqual(strictly(text));
});

test('more kinds of events than are remembered are read', () => {
  const reader = new PlainReader();
  for (let round = 0; round < 2; round += 1) {
    for (let n = 0; n < 2000; n += 1)
      expect(reader.readOne(`{"labels":{"a${n}":"x","b":"${n}"}}`)).toEqual({
        labels: [
          [`a${n}`, 'x'],
          ['b', String(n)],
        ],
      });
  }
});

describe('an array', () => {
  const all = (text: string) => new PlainReader().readArray(text);

  test('of events is read, with blanks and lines between them', () => {
    expect(all('[{}]')).toEqual([{ labels: [] }]);
    expect(all(' [ {} , {"labels":{"a":"x"}}\n,\r\n\t{"value":1}\n]\n')).toEqual([
      { labels: [] },
      { labels: [['a', 'x']] },
      { labels: [], value: '1' },
    ]);
  });

  test.each([
    '',
    '[]',
    ']',
    '[',
    '[{}',
    '[{},]',
    '[,{}]',
    '[{}]]',
    '[{}] x',
    '[{}{}]',
    '[1]',
    '[{},1]',
    '[{},[{}]]',
    '{}',
    '[{"value":1e3}]',
  ])('%j is not', (text) => {
    expect(all(text)).toBeUndefined();
  });
});

const SEEDS = [1, 2, 3, 4];
const EVENTS = 5000;
const NAMES = ['type', 'service', 'env', 'my label', 'labels', 'value', '__proto__', '\u00fc', '', '1', '2x'];
const VALUES = [
  '"deploy"',
  '"1.2.3"',
  '""',
  '"\u65e5\u672c"',
  '"a}b{c,d:e"',
  '"\\n\\u00e9"',
  '17',
  '-0.50',
  '0',
  '"\u{1f600}"',
  '"\\ud800"',
  '"\\u00"',
  '1e3',
  '01',
  'true',
  'null',
];
const MUTATIONS = [
  '{',
  '}',
  '"',
  ',',
  ':',
  ' ',
  '\t',
  '\n',
  '\\',
  '0',
  '-',
  '.',
  'e',
  '[',
  ']',
  '\u0000',
  '"a":"x",',
  '"value":1,',
  '"labels":{},',
];

const pick = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;

/** An event as a sender may write it; in most cases one that is plain. */
function anyEvent(random: Random): string {
  const colon = pick(random, [':', ': ', ' :']);
  const comma = pick(random, [',', ', ', ',\t']);
  // Names and values that are usual come far more often than others.
  const usual = (count: number, of: number) => (random() < 0.06 ? count : of);
  const members = (count: number, names: readonly string[]) =>
    Array.from({ length: count }, () => {
      const name = pick(random, names.slice(0, usual(names.length, 5)));
      return `"${name}"${colon}${pick(random, VALUES.slice(0, usual(VALUES.length, 9)))}`;
    });
  const labels = () => `"labels"${colon}{${members(Math.floor(random() * 4), NAMES).join(comma)}}`;
  const fields = members(Math.floor(random() * 2.5), ['value', 'timestamp', 'id', 'name', 'value', 'other']);
  if (random() < 0.9) fields.splice(Math.floor(random() * (fields.length + 1)), 0, labels());
  return `{${fields.join(comma)}}`;
}

/** The same with a piece of it removed, doubled, or put in. */
function spoilt(random: Random, text: string): string {
  const from = Math.floor(random() * (text.length + 1));
  const to = from + Math.floor(random() * 5);
  return pick(random, [
    () => text.slice(0, from) + text.slice(to),
    () => text.slice(0, to) + text.slice(from),
    () => text.slice(0, from) + pick(random, MUTATIONS) + text.slice(from),
  ])();
}

test.each(SEEDS)(
  'whatever is taken is what the strict reader reads: random and spoilt events, seed %i',
  (seed) => {
    const random = mulberry32(seed);
    const reader = new PlainReader();
    let taken = 0;
    let left = 0;
    let refused = 0;
    for (let n = 0; n < EVENTS; n += 1) {
      const event = anyEvent(random);
      const text = random() < 0.3 ? spoilt(random, event) : event;
      const strict = strictly(text);
      const read = reader.readOne(text);
      if (strict === undefined) refused += 1;
      else if (read === undefined) left += 1;
      else taken += 1;
      if (read !== undefined) expect(read, text).toEqual(strict);
    }
    // It would prove little if there were few of any kind.
    expect(taken).toBeGreaterThan(0.4 * EVENTS);
    expect(left).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(100);
  },
);
