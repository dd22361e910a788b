import { BoundedMap } from '../core/boundedMap.ts';
import type { SeriesText } from '../core/series.ts';
import { readSeries } from '../core/series.ts';
import type { Select } from '../delivery/select.ts';
import type { SelectOptions } from './options.ts';
import type { Matcher, Selector } from './selector.ts';
import { METRIC_NAME, SelectorError } from './selector.ts';

type Compile = (pattern: string) => (value: string) => boolean;
/** Tells whether a series matches: by what each of its labels is, or the empty text. */
type Test = (valueOf: (name: string) => string) => boolean;

/** Series that are remembered, with whether they are selected; and how long these may be, in UTF-16 units. */
const KNOWN_MAX = 1_000;
const KNOWN_UNITS_MAX = 1_000;

/** Makes what tells whether a sink is to get a series. Throws a SelectorError that begins with the place of the selector. */
export async function compileSelect({ key, selectors }: SelectOptions): Promise<Select> {
  const hasPatterns = selectors.some((selector) => selector.some(({ operator }) => operator.endsWith('~')));
  // A page of code that few need.
  const compile = hasPatterns ? (await import('./patterns.ts')).compilePattern : undefined;
  const tests = selectors.map((selector, index) => testOf(selector, index, compile));
  const known = new BoundedMap<SeriesText, boolean>(KNOWN_MAX);
  return {
    key,
    has: (series) => {
      const before = known.get(series);
      if (before !== undefined) return before;
      const has = matchesAny(series, tests);
      if (series.length <= KNOWN_UNITS_MAX) known.set(series, has);
      return has;
    },
  };
}

function testOf(selector: Selector, index: number, compile: Compile | undefined): Test {
  const tests = selector.map((matcher) => {
    try {
      return { name: matcher.name, test: matcherTest(matcher, compile) };
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`[${index}]: ${matcher.name}: ${error.message}`, { cause: error });
    }
  });
  return (valueOf) => tests.every(({ name, test }) => test(valueOf(name)));
}

function matcherTest({ operator, value }: Matcher, compile: Compile | undefined): (given: string) => boolean {
  switch (operator) {
    case '=':
      return (given) => given === value;
    case '!=':
      return (given) => given !== value;
    case '=~':
    case '!~': {
      if (compile === undefined) throw new Error('regular expressions are not loaded');
      const matches = compile(value);
      return operator === '=~' ? matches : (given) => !matches(given);
    }
    default:
      return operator satisfies never;
  }
}

function matchesAny(series: SeriesText, tests: readonly Test[]): boolean {
  const { metric, labels } = readSeries(series);
  const valueOf = (name: string): string =>
    name === METRIC_NAME ? metric : (labels.find((label) => label.name === name)?.value ?? '');
  return tests.some((test) => test(valueOf));
}
