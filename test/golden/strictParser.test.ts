import { describe, expect, test } from 'vitest';
import type { Rule } from '../support/strictParser.ts';
import { ExpositionError, parseExposition, parseSamples } from '../support/strictParser.ts';

/** As prom-client 15.1.3 wrote it, with a blank line behind each family and a NaN of its own. */
const OF_A_LIBRARY = String.raw`# HELP c_total with \\ and\nnewline
# TYPE c_total counter
c_total{l="\"\\\n"} 1

# HELP g a gauge
# TYPE g gauge
g Nan

# HELP unused no samples
# TYPE unused gauge

# HELP h a histogram
# TYPE h histogram
h_bucket{le="0.1",l="x"} 0
h_bucket{le="0.5",l="x"} 1
h_bucket{le="+Inf",l="x"} 1
h_sum{l="x"} 0.3
h_count{l="x"} 1

# HELP s a summary
# TYPE s summary
s{quantile="0.5"} 1
s{quantile="0.99"} 1
s_sum 1
s_count 1
`;

const bytes = (...parts: readonly (string | number)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));

function ruleOf(body: string | Uint8Array): Rule | 'accepted' {
  try {
    parseExposition(body);
    return 'accepted';
  } catch (error) {
    if (error instanceof ExpositionError) return error.rule;
    throw error;
  }
}

const BAD: readonly (readonly [Rule, string, string | Uint8Array])[] = [
  ['name', 'a metric name with a dash', 'a-b 1\n'],
  ['name', 'a metric name that begins with a digit', '1a 1\n'],
  ['name', 'a metric name beyond ASCII', 'ü 1\n'],
  ['name', 'no metric name', '{a="b"} 1\n'],
  ['name', 'a blank before the name', ' a 1\n'],
  ['name', 'a quoted UTF-8 name', '{"a.b"} 1\n'],
  ['name', 'a bad name in TYPE', '# TYPE a-b gauge\n'],
  ['name', 'a HELP without a name', '# HELP\n'],
  ['labelName', 'a label name with a dash', 'a{b-c="x"} 1\n'],
  ['labelName', 'a label name with a colon', 'a{b:c="x"} 1\n'],
  ['labelName', 'an empty label name', 'a{="x"} 1\n'],
  ['labelName', 'a label called __name__', 'a{__name__="x"} 1\n'],
  ['labelName', 'a blank between labels', 'a{b="x", c="y"} 1\n'],
  ['quote', 'an unescaped quote in a value', 'a{b="x"y"} 1\n'],
  ['quote', 'a value without quotes', 'a{b=x} 1\n'],
  ['quote', 'a value in single quotes', "a{b='x'} 1\n"],
  ['escape', 'an unknown escape in a value', 'a{b="\\t"} 1\n'],
  ['escape', 'an unknown escape in a HELP', '# HELP a \\"quoted\\"\n'],
  ['escape', 'a lone backslash at the end of a HELP', '# HELP a x\\\n'],
  ['truncated', 'a value that ends in a lone backslash', 'a{b="x\\"} 1\n'],
  ['truncated', 'a raw newline in a value', 'a{b="x\ny"} 1\n'],
  ['truncated', 'a line cut in its labels', 'a{b="x"\n'],
  ['truncated', 'a line cut behind a comma', 'a{b="x",\n'],
  ['truncated', 'a line cut behind its labels', 'a{b="x"}\n'],
  ['truncated', 'a line cut behind its name', 'a\n'],
  ['truncated', 'a line without a value', 'a \n'],
  ['finalNewline', 'a missing final newline', 'a 1'],
  ['crlf', 'lines that end in CR LF', 'a 1\r\n'],
  ['crlf', 'a comment that ends in CR LF', '# TYPE a gauge\r\na 1\n'],
  ['blanks', 'two blanks before the value', 'a  1\n'],
  ['blanks', 'a blank at the end', 'a 1 \n'],
  ['blanks', 'a tab before the value', 'a\t1\n'],
  ['blanks', 'no blank before the value', 'a{b="x"}1\n'],
  ['blanks', 'a third token', 'a 1 2 3\n'],
  ['comment', 'a comment without its blank', '#TYPE a gauge\n'],
  ['value', 'a word for a value', 'a one\n'],
  ['value', 'a value beyond float64', 'a 1e400\n'],
  ['value', 'a hexadecimal value', 'a 0x10\n'],
  ['value', 'a value with underscores', 'a 1_000\n'],
  ['value', 'a value with a decimal comma', 'a 1,5\n'],
  ['timestamp', 'a float timestamp', 'a 1 1700000000.5\n'],
  ['timestamp', 'a timestamp with an exponent', 'a 1 1e12\n'],
  ['timestamp', 'a huge timestamp', 'a 1 99999999999999999999\n'],
  ['type', 'an unknown type', '# TYPE a stateset\n'],
  ['type', 'a TYPE without a type', '# TYPE a\n'],
  ['type', 'a sample that its family can not have', '# TYPE a histogram\na 1\n'],
  ['repeatedType', 'a second TYPE', '# TYPE a gauge\n# TYPE a gauge\na 1\n'],
  ['repeatedType', 'a second TYPE behind the samples', '# TYPE a gauge\na 1\n# TYPE a gauge\n'],
  ['repeatedHelp', 'a second HELP', '# HELP a x\n# HELP a x\na 1\n'],
  ['lateType', 'a TYPE behind its samples', 'a 1\n# TYPE a gauge\n'],
  ['lateType', 'a histogram behind its buckets', 'a_bucket{le="1"} 1\n# TYPE a histogram\n'],
  ['lateHelp', 'a HELP behind its samples', 'a 1\n# HELP a x\n'],
  ['interleaved', 'a family that is taken up again', 'a 1\nb 1\na{c="x"} 1\n'],
  ['interleaved', 'a TYPE that comes after another family began', '# HELP a x\n# HELP b x\n# TYPE a gauge\n'],
  ['clash', 'a gauge by the name of a summary part', '# TYPE a summary\na_count 1\n# TYPE a_count gauge\n'],
  ['clash', 'a summary whose part is taken', '# TYPE a_sum gauge\n# TYPE a summary\n'],
  ['duplicateLabel', 'a label twice', 'a{b="x",b="x"} 1\n'],
  ['duplicateSeries', 'a series twice without times', 'a{b="x"} 1\na{b="x"} 2\n'],
  ['duplicateSeries', 'a series twice, its labels in another order', 'a{b="x",c="y"} 1\na{c="y",b="x"} 1\n'],
  ['duplicateSeries', 'a series twice, one with an empty label', 'a 1\na{b=""} 1\n'],
  ['duplicateSeries', 'a series twice at one time', 'a 1 5\na 2 5\n'],
  ['descending', 'a series whose times descend', 'a 1 6\na 2 5\n'],
  ['mixedTimes', 'a series with a time and without', 'a 1 6\na 2\n'],
  ['le', 'a bucket without le', '# TYPE a histogram\na_bucket 1\n'],
  ['le', 'a bucket whose le is no number', '# TYPE a histogram\na_bucket{le="x"} 1\n'],
  ['utf8', 'bytes that are no UTF-8', bytes('a{b="', 0xff, '"} 1\n')],
  ['utf8', 'half of a surrogate pair', 'a{b="\ud83d"} 1\n'],
];

const GOOD: readonly (readonly [string, string | Uint8Array])[] = [
  ['an empty body', ''],
  ['empty lines', '\na 1\n\n\nb 1\n'],
  ['an ordinary comment', '# EOF, says somebody\na 1\n'],
  ['a HELP with nothing to say', '# HELP a \n# TYPE a gauge\na 1\n'],
  ['a family without samples', '# HELP a x\n# TYPE a counter\n'],
  ['every escape', '# HELP a \\\\ and \\n\na{b="\\\\ \\" \\n"} 1\n'],
  ['a CR inside a value', 'a{b="x\ry\r"} 1\n'],
  ['NUL, tabs and line separators inside a value', 'a{b="\0\t\u2028"} 1\n'],
  ['braces, commas and hashes inside a value', 'a{b="}, # {",c=","} 1\n'],
  ['every way to write a value', 'a 1\nb -.5\nc 5.\nd 1e+21\ne NaN\nf +Inf\ng -Inf\nh Nan\ni -0\n'],
  ['times, negative ones too', 'a 1 1700000000000\na 1 1700000000001\nb 1 -1\n'],
  ['one time for two series', 'a{b="x"} 1 5\na{b="y"} 1 5\n'],
  ['a name that ends like a part of a histogram', 'a_bucket 1\nb_count 1\n'],
  ['UTF-8 bytes', bytes('a{b="ü🚀"} 1\n')],
];

describe('the strict parser', () => {
  test.each(BAD)('refuses by its rule %s: %s', (rule, _what, body) => {
    expect(ruleOf(body)).toBe(rule);
  });

  test.each(GOOD)('accepts %s', (_what, body) => {
    expect(ruleOf(body)).toBe('accepted');
  });

  test('reads names, labels, values, times, types and help', () => {
    const body = '# HELP a what\\n\\\\ it is\n# TYPE a gauge\na{b="x\\"\\\\\\n",c=""} 2.5 17\nd -Inf\n';
    expect(parseExposition(body)).toEqual([
      {
        name: 'a',
        type: 'gauge',
        help: 'what\n\\ it is',
        samples: [{ name: 'a', labels: new Map([['b', 'x"\\\n']]), value: 2.5, time: 17 }],
      },
      {
        name: 'd',
        type: 'untyped',
        help: undefined,
        samples: [{ name: 'd', labels: new Map(), value: -Infinity, time: undefined }],
      },
    ]);
  });

  test('says in which line the fault is', () => {
    expect(() => parseExposition('a 1\n\nb one\n')).toThrow(/^line 3: value/);
  });

  test('accepts what a usual client library writes of all its kinds', () => {
    expect(parseExposition(OF_A_LIBRARY).map(({ type }) => type)).toEqual(['counter', 'gauge', 'gauge', 'histogram', 'summary']);
    expect(parseSamples(OF_A_LIBRARY)[0]?.labels.get('l')).toBe('"\\\n');
  });
});

describe('the strict parser of UTF-8 names', () => {
  const utf8RuleOf = (body: string): Rule | 'accepted' => {
    try {
      parseExposition(body, 'utf8');
      return 'accepted';
    } catch (error) {
      if (error instanceof ExpositionError) return error.rule;
      throw error;
    }
  };

  test.each([
    ['name', 'an empty name', '{""} 1\n'],
    ['name', 'quotes around a name that needs none', '{"a"} 1\n'],
    ['name', 'quotes around a label that needs none', 'a{"b"="x"} 1\n'],
    ['name', 'an unquoted name', 'a.b 1\n'],
    ['labelName', 'an unquoted label', 'a{b.c="x"} 1\n'],
    ['quote', 'two metrics', '{"c.d","a.b"} 1\n'],
    ['quote', 'something behind a name', '{"a.b"x} 1\n'],
    ['escape', 'an unknown escape in a name', '{"a.\\t"} 1\n'],
    ['truncated', 'a name without its closing quote', '{"a.b\\"} 1\n'],
    ['duplicateLabel', 'a label twice', 'a{"b.c"="x","b.c"="y"} 1\n'],
    ['duplicateSeries', 'a series twice', '{"a.b"} 1\n{"a.b"} 1\n'],
    ['blanks', 'something behind a name in TYPE', '# TYPE "a.b"gauge\n'],
    ['interleaved', 'a family that is taken up again', '{"a.b"} 1\nc 1\n{"a.b",c="x"} 1\n'],
  ] as const)('refuses by its rule %s: %s', (rule, _what, body) => {
    expect(utf8RuleOf(body)).toBe(rule);
  });

  test('reads names in quotes', () => {
    const body = '# HELP "a.\\"b" what\n# TYPE "a.\\"b" gauge\n{"a.\\"b","c d"="x",e="y"} 1\n{"a.\\"b"} 2\n';
    expect(parseExposition(body, 'utf8')).toMatchObject([
      {
        name: 'a."b',
        type: 'gauge',
        help: 'what',
        samples: [
          { name: 'a."b', labels: new Map([['c d', 'x'], ['e', 'y']]), value: 1 },
          { name: 'a."b', labels: new Map(), value: 2 },
        ],
      },
    ]);
    expect(ruleOf(body)).toBe('name');
  });
});
