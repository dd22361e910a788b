import { describe, expect, test } from 'vitest';
import { parseOpenMetrics } from '../support/openMetricsParser.ts';
import type { Rule } from '../support/strictParser.ts';
import { ExpositionError } from '../support/strictParser.ts';

function ruleOf(body: string): Rule | 'accepted' {
  try {
    parseOpenMetrics(body);
    return 'accepted';
  } catch (error) {
    if (error instanceof ExpositionError) return error.rule;
    throw error;
  }
}

const A = '# TYPE a gauge\n';
const C = '# TYPE c counter\n';
const H = '# TYPE h histogram\n';

const BAD: readonly (readonly [Rule, string, string])[] = [
  ['eof', 'an empty body', ''],
  ['eof', 'a body without its end', `${A}a 1\n`],
  ['eof', 'an end without a newline', `${A}a 1\n# EOF`],
  ['eof', 'something behind the end', `# EOF\n${A}a 1\n# EOF\n`],
  ['eof', 'an empty line behind the end', `# EOF\n\n`],
  ['blanks', 'an empty line', `${A}\na 1\n# EOF\n`],
  ['comment', 'an ordinary comment', '# hello\n# EOF\n'],
  ['type', 'a sample without a type', 'a 1\n# EOF\n'],
  ['type', 'a type that only the text format has', '# TYPE a untyped\na 1\n# EOF\n'],
  ['type', 'a counter without _total', `${C}c 1\n# EOF\n`],
  ['type', 'a gauge with _total of its own', `${A}a_total 1\n# EOF\n`],
  ['clash', 'a gauge that is called like a counter', `${C}c_total 1\n# TYPE c_total gauge\nc_total 1\n# EOF\n`],
  ['clash', 'a counter whose sample is taken', '# TYPE c_total gauge\nc_total 1\n# TYPE c counter\n# EOF\n'],
  ['interleaved', 'a family that comes again', `${A}a 1\n# TYPE b gauge\nb 1\n${A}a{c="x"} 1\n# EOF\n`],
  ['interleaved', 'a sample of a family that was left', `${A}a 1\n# TYPE b gauge\na{c="x"} 1\n# EOF\n`],
  ['interleaved', 'a metric that is taken up again', `${A}a 1 1\na{b="x"} 1 1\na 1 2\n# EOF\n`],
  ['repeatedType', 'a second TYPE', `${A}${A}a 1\n# EOF\n`],
  ['repeatedHelp', 'a second HELP', '# HELP a x\n# HELP a y\n# EOF\n'],
  ['lateHelp', 'a HELP behind a sample', `${A}a 1\n# HELP a x\n# EOF\n`],
  ['escape', 'a quote in a HELP', '# HELP a "x"\n# EOF\n'],
  ['counter', 'a negative counter', `${C}c_total -1\n# EOF\n`],
  ['counter', 'a counter of NaN', `${C}c_total NaN\n# EOF\n`],
  ['le', 'a bound without its point', `${H}h_bucket{le="1"} 1\n# EOF\n`],
  ['le', 'a bucket without a bound', `${H}h_bucket 1\n# EOF\n`],
  ['exemplar', 'an exemplar', `${C}c_total 1 # {a="b"} 1\n# EOF\n`],
  ['timestamp', 'a time with an exponent', `${A}a 1 1e9\n# EOF\n`],
  ['descending', 'times that descend', `${A}a 1 2.5\na 1 2.4\n# EOF\n`],
  ['duplicateSeries', 'two samples of one time', `${A}a 1 2.5\na 1 2.5\n# EOF\n`],
  ['duplicateSeries', 'a series twice', `${A}a 1\na 1\n# EOF\n`],
  ['mixedTimes', 'a series with a time and without', `${A}a 1\na 1 1\n# EOF\n`],
  ['crlf', 'lines that end in CR LF', `# TYPE a gauge\r\na 1\n# EOF\n`],
];

describe('the strict parser of OpenMetrics', () => {
  test.each(BAD)('refuses by its rule %s: %s', (rule, _what, body) => {
    expect(ruleOf(body)).toBe(rule);
  });

  test('reads families with their types, and times in milliseconds', () => {
    const body = `# HELP c \\"so\\"\n${C}c_total{a="b"} 1\n${A}a 2 1700000000.123\na 3 1700000000.124\n${H}h_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n# EOF\n`;
    expect(parseOpenMetrics(body)).toMatchObject([
      { name: 'c', type: 'counter', help: '"so"', samples: [{ name: 'c_total', value: 1 }] },
      { name: 'a', type: 'gauge', samples: [{ time: 1_700_000_000_123 }, { time: 1_700_000_000_124 }] },
      { name: 'h', type: 'histogram', samples: [{}, {}, {}, {}] },
    ]);
  });
});
