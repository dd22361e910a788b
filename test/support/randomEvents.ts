import * as fc from 'fast-check';

/** Gives numbers from 0 on, below 1. */
export type Random = () => number;

/** A small seeded generator of 32 bits (public domain, by Tommy Ettinger): the same seed gives the same numbers everywhere. */
export function mulberry32(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An event as a query, and what a server with the default limits makes of it. */
export interface RandomQuery {
  /** What follows the `?`: visible ASCII only, since Node's HTTP server refuses a URL that holds other bytes. Below 10,000 characters. */
  readonly query: string;
  readonly verdict: 'accepted' | 'refused';
  /** What was done to it, for the message of a failing test. */
  readonly why: string;
  /** Of an accepted one: the labels as they must arrive. */
  readonly labels: ReadonlyMap<string, string>;
  /** Of an accepted one: the metric's name, undefined for the default. */
  readonly metric: string | undefined;
  /** Of an accepted one. */
  readonly value: number;
}

/** About 70 % of these are acceptable, however odd they look; the rest is broken in one place, each in its own way. */
export function randomQuery(random: Random): RandomQuery {
  const good = acceptable(random);
  if (random() < 0.7) return good;
  const [why, broken] = pick(random, BREAKS)(random);
  const pieces = good.query === '' ? [] : good.query.split('&');
  pieces.splice(below(random, pieces.length + 1), 0, ...broken);
  return { ...good, query: pieces.join('&'), verdict: 'refused', why };
}

type Break = (random: Random) => readonly [why: string, pieces: readonly string[]];

/**
 * Ways to break a query. The pieces may land anywhere in a query whose names are all different; names here begin with `q_`, which
 * no acceptable name does.
 */
const BREAKS: readonly Break[] = [
  (random) => ['bad label name', [`${encode(random, badLabelName(random))}=x`]],
  (random) => ['reserved label name', [`${pick(random, ['__x', '__', '__address__', '+_x', '%5F_name'])}=x`]],
  () => ['repeated parameter', ['q_a=1', 'q_a=1']],
  () => ['repeated parameter, empty at first', ['q_a=', 'q_a=1']],
  () => ['two names that become one', ['q+a=1', 'q_a=2']],
  () => ['two names that become one, encoded', ['q_%61=1', 'q%20a=2']],
  (random) => [
    'incomplete escape in a value',
    [`q_a=x${pick(random, ['%', '%4', '%zz', '%%41', '%u0041', '%+1', '%2%30'])}`],
  ],
  (random) => ['incomplete escape in a name', [`q_${pick(random, ['%', '%z', '%4g'])}=x`]],
  (random) => [
    'invalid UTF-8 in a value',
    [`q_a=${pick(random, INVALID_UTF8)}${pick(random, ['', 'x', '%22'])}`],
  ],
  (random) => ['invalid UTF-8 in a name', [`q_${pick(random, INVALID_UTF8)}=x`]],
  () => ['value without a name', ['=x']],
  () => ['repeated sample value', ['value=1', 'value=2']],
  () => ['repeated metric name', ['__name__=a', '__name__=a']],
  // Where the query has a `value` or a `__name__` already, these break it by the repetition.
  (random) => ['bad sample value', [`value=${encode(random, pick(random, BAD_VALUES))}`]],
  (random) => ['bad metric name', [`__name__=${encode(random, pick(random, BAD_METRICS))}`]],
  () => ['label value past its limit', [`q_a=${'x'.repeat(4097)}`]],
  () => ['label value past its limit in bytes', [`q_a=${'%C3%BC'.repeat(4)}${'y'.repeat(4089)}`]],
  () => ['label name past its limit', [`q_${'a'.repeat(255)}=x`]],
  () => ['too many labels', Array.from({ length: 65 }, (_, index) => `q_${index}=x`)],
];

const INVALID_UTF8 = [
  '%FF',
  '%FE',
  '%80',
  '%C3',
  '%C3%28',
  '%C0%AF',
  '%E2%82',
  '%ED%A0%80',
  '%F0%9F%9A',
  '%F4%90%80%80',
  '%F8%88%80%80%80',
];
const BAD_METRICS = ['', '1a', 'a-b', 'a b', 'a.b', 'ü', 'a{b="c"}', 'a\n', 'a"', 'up', '__name__ '];
const BAD_VALUES = [
  '',
  'one',
  '1e400',
  '-1e309',
  '9'.repeat(400),
  '1,5',
  '0x10',
  '1_0',
  ' 1',
  '1 ',
  '--1',
  '1e',
  '.',
  'Infinit',
  '1\n',
  '٣',
  '1;2',
];
const GOOD_VALUES = [
  ['1', 1],
  ['-0', -0],
  ['0.1', 0.1],
  ['1e21', 1e21],
  ['5e-324', 5e-324],
  ['1e-400', 0],
  ['1.7976931348623157e308', 1.7976931348623157e308],
  ['9007199254740993', 2 ** 53],
  ['123456789.123456789', 123456789.12345679],
  ['+1.50', 1.5],
  ['.5', 0.5],
  ['5.', 5],
  ['NaN', Number.NaN],
  ['nan', Number.NaN],
  ['+Inf', Infinity],
  ['-inf', -Infinity],
  ['Infinity', Infinity],
] as const;

function acceptable(random: Random): RandomQuery {
  const labels = new Map<string, string>();
  const names = new Set<string>();
  const pieces: string[] = [];
  for (let left = below(random, 6); left > 0; left--) {
    const raw = labelName(random);
    const name = raw.replaceAll(' ', '_');
    if (names.has(name)) continue;
    names.add(name);
    const value = labelValue(
      random,
      pieces.every((piece) => piece.length < 1000),
    );
    if (value !== '') labels.set(name, value);
    pieces.push(
      value === '' && random() < 0.5
        ? encode(random, raw)
        : `${encode(random, raw)}=${encode(random, value)}`,
    );
    if (random() < 0.05) pieces.push('');
  }
  let value = 1;
  if (random() < 0.4) {
    const [text, number] = pick(random, GOOD_VALUES);
    value = number;
    pieces.splice(below(random, pieces.length + 1), 0, `value=${encode(random, text)}`);
  }
  const metric =
    random() < 0.3
      ? pick(random, ['deploys', 'a:b', '_x', 'Backups_2', 'a_count', 'a_total', 'gauge', 'NaN'])
      : undefined;
  if (metric !== undefined)
    pieces.splice(below(random, pieces.length + 1), 0, `__name__=${encode(random, metric)}`);
  return { query: pieces.join('&'), verdict: 'accepted', why: 'acceptable', labels, metric, value };
}

const NAME_CHARACTERS = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ');
const KNOWN_NAMES = [
  'env',
  'job',
  'instance',
  'le',
  'quantile',
  'constructor',
  'toString',
  'my label',
  'exported_job',
  'e',
  'Value',
  '_',
];

function labelName(random: Random): string {
  if (random() < 0.5) return pick(random, KNOWN_NAMES);
  // A first letter that no broken name of this file has, and no digit.
  let name = pick(random, ['a', 'b', 'c', 'X', 'Y', 'Z']);
  for (let left = below(random, random() < 0.02 ? 255 : 12); left > 0; left--)
    name += pick(random, NAME_CHARACTERS);
  return name;
}

function badLabelName(random: Random): string {
  const bad = pick(random, Array.from('-.:/!"\\{}\n\r\t\0=&%ü漢🚀\u2028é'));
  return pick(random, [`q${bad}`, `q${bad}a`, `${bad}q`, '1q', `9${bad}`, `q ${bad}`]);
}

const HOSTILE_VALUES = [
  '',
  ' ',
  '"',
  '\\',
  '\\\\',
  '\\"',
  '\\n',
  '\n',
  '\r\n',
  '\t',
  '\0',
  '"} 1\nevil{a="b',
  '# TYPE x gauge\n',
  '# EOF\n',
  'trailing\\',
  ' edges ',
  '\u2028\u2029\u0085',
  '\ufeff',
  '\u202eback',
  'e\u0301',
  '\ufffd',
  '\uffff',
  '🚀',
  '\u{10ffff}',
  'NaN',
  '%',
  '%25',
  '+',
  '&=;#?',
  '{}',
  '__proto__',
];

function labelValue(random: Random, mayBeLong: boolean): string {
  const kind = random();
  if (kind < 0.3) return pick(random, HOSTILE_VALUES);
  if (kind < 0.4)
    return pick(random, HOSTILE_VALUES) + pick(random, HOSTILE_VALUES) + pick(random, HOSTILE_VALUES);
  if (kind < 0.405 && mayBeLong) return 'x'.repeat(4096);
  let text = '';
  for (let left = below(random, 12); left > 0; left--) text += String.fromCodePoint(codePoint(random));
  return text;
}

/** Any character of Unicode, those of one, two, three and four bytes alike often; no half of a surrogate pair. */
function codePoint(random: Random): number {
  const [from, upTo] = pick(random, [
    [0, 0x7f],
    [0x80, 0x7ff],
    [0x800, 0xd7ff],
    [0xe000, 0xffff],
    [0x10000, 0x10ffff],
  ] as const);
  return from + below(random, upTo - from + 1);
}

const PLAIN = /[A-Za-z0-9_.~!'()*/:@,;?$-]/;

/** Encodes a text as one of the many ways of the same: what may stand plain may be escaped too, in upper or in lower case. */
function encode(random: Random, text: string): string {
  const thorough = random() < 0.1 && text.length < 100;
  let encoded = '';
  for (const character of text) {
    if (character === ' ' && random() < 0.5) encoded += '+';
    else if (!thorough && PLAIN.test(character)) encoded += character;
    else encoded += escapeBytes(character, random() < 0.5);
  }
  return encoded;
}

function escapeBytes(character: string, upper: boolean): string {
  let escaped = '';
  for (const byte of new TextEncoder().encode(character)) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  return upper ? escaped.toUpperCase() : escaped;
}

function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

/** Any text that is valid Unicode, hostile ones often. */
export const anyLabelValue: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_VALUES),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom('\\', '"', '\n', 'n', '\r', ',', '}', '=', ' '), { maxLength: 12 })
    .map((parts) => parts.join('')),
);

/** A label's name that is accepted, blanks for `_` included; never `value` or one that begins with `__`. */
export const anyLabelName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...KNOWN_NAMES),
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_ ]{0,20}$/).filter((name) => name !== 'value'),
);

/** A metric's name that is accepted; none that Prometheus adds to a scrape itself. */
export const anyMetricName: fc.Arbitrary<string> = fc
  .stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,20}$/)
  .filter((name) => name !== 'up');

/** Every float64, NaN and the infinities too. */
export const anySampleValue: fc.Arbitrary<number> = fc.double();
