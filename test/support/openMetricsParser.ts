import type { Names, ParsedSample } from './strictParser.ts';
import {
  ExpositionError,
  decode,
  keyOf,
  readCommented,
  readSeries,
  readValue,
  unescape,
} from './strictParser.ts';

/**
 * A strict reader of OpenMetrics text, for tests; it shares no code with `src/`:
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 *
 * Stricter than Prometheus, which passes over types that don't fit and families that come again. Not taken, since this server writes
 * none: exemplars, `_created`, UNIT, and the types that the text format lacks.
 */

export type OpenMetricsType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

export interface OpenMetricsFamily {
  /** Of a counter without the `_total` of its samples. */
  readonly name: string;
  readonly type: OpenMetricsType;
  readonly help: string | undefined;
  readonly samples: readonly ParsedSample[];
}

/** Parses a whole body. Throws an ExpositionError that says which rule is broken, and where. */
export function parseOpenMetrics(
  body: string | Uint8Array,
  names: Names = 'legacy',
): readonly OpenMetricsFamily[] {
  const text = decode(body);
  if (!/(?:^|\n)# EOF\n$/.test(text)) throw new ExpositionError('eof', 0, 'the body does not end with # EOF');
  const reader = new Reader(names);
  const lines = text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1);
  for (const [index, line] of lines.entries()) reader.take(line, index + 1);
  return reader.families;
}

const SUFFIXES: Record<OpenMetricsType, readonly string[]> = {
  counter: ['_total'],
  gauge: [''],
  unknown: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

interface Family {
  readonly name: string;
  type: OpenMetricsType;
  help: string | undefined;
  readonly samples: ParsedSample[];
}

class Reader {
  readonly families: Family[] = [];
  readonly #names: Names;
  /** Every name that a family has, or that one of its samples may have. */
  readonly #taken = new Set<string>();
  /** The metrics that were left: a set of labels must not be taken up again within its family. */
  readonly #left = new Set<string>();
  #metric = '';
  /** The last time of each series; null where it was untimed. */
  readonly #seen = new Map<string, number | null>();
  #typed = false;

  constructor(names: Names) {
    this.#names = names;
  }

  take(line: string, at: number): void {
    if (line.endsWith('\r')) throw new ExpositionError('crlf', at, 'a line ends in CR LF');
    if (line === '') throw new ExpositionError('blanks', at, 'a line is empty');
    if (line.startsWith('#')) this.#comment(line, at);
    else this.#sample(line, at);
  }

  #comment(line: string, at: number): void {
    if (line === '# EOF') throw new ExpositionError('eof', at, 'something stands behind # EOF');
    const [, keyword, rest = ''] = /^# (HELP|TYPE)(.*)$/su.exec(line) ?? [];
    if (keyword === undefined) throw new ExpositionError('comment', at, JSON.stringify(line));
    const { name, text } = readCommented(rest, at, this.#names);
    const family = this.#familyOf(name, keyword === 'HELP' ? 'lateHelp' : 'lateType', at);
    if (keyword === 'HELP') {
      if (family.help !== undefined) throw new ExpositionError('repeatedHelp', at, name);
      family.help = unescape(text, '\\n"', at);
      if (/(?<!\\)(?:\\\\)*"/.test(text)) throw new ExpositionError('escape', at, 'a quote is not escaped');
      return;
    }
    if (this.#typed) throw new ExpositionError('repeatedType', at, name);
    if (!Object.hasOwn(SUFFIXES, text)) throw new ExpositionError('type', at, JSON.stringify(text));
    family.type = text as OpenMetricsType;
    this.#typed = true;
    for (const suffix of SUFFIXES[family.type]) if (suffix !== '') this.#claim(name + suffix, at);
  }

  #familyOf(name: string, late: 'lateHelp' | 'lateType', at: number): Family {
    const current = this.families.at(-1);
    if (current?.name === name) {
      if (current.samples.length > 0) throw new ExpositionError(late, at, name);
      return current;
    }
    if (this.families.some((family) => family.name === name))
      throw new ExpositionError('interleaved', at, name);
    this.#claim(name, at);
    const family: Family = { name, type: 'unknown', help: undefined, samples: [] };
    this.families.push(family);
    this.#typed = false;
    this.#left.clear();
    this.#metric = '';
    return family;
  }

  #claim(name: string, at: number): void {
    if (this.#taken.has(name)) throw new ExpositionError('clash', at, `${name} is taken`);
    this.#taken.add(name);
  }

  #sample(line: string, at: number): void {
    const { name, labels, rest } = readSeries(line, at, this.#names);
    if (rest.includes(' # ')) throw new ExpositionError('exemplar', at, 'no exemplars here');
    const [valueText, timeText, ...more] = rest.split(' ');
    if (valueText === undefined || valueText === '' || timeText === '' || more.length > 0)
      throw new ExpositionError('blanks', at, 'one blank stands between two tokens, and none elsewhere');
    const family = this.families.at(-1);
    if (family === undefined || !this.#typed)
      throw new ExpositionError('type', at, `${name} comes without a type`);
    if (!SUFFIXES[family.type].some((suffix) => name === family.name + suffix)) {
      const isKnown = name !== family.name && this.#taken.has(name);
      throw new ExpositionError(isKnown ? 'interleaved' : 'type', at, `${name} in ${family.name}`);
    }
    const sample: ParsedSample = {
      name,
      labels: new Map([...labels].filter(([, value]) => value !== '')),
      value: readValue(valueText, at),
      time: timeText === undefined ? undefined : readSeconds(timeText, at),
    };
    this.#check(sample, family, at);
    family.samples.push(sample);
  }

  #check(sample: ParsedSample, { name, type }: Family, at: number): void {
    if (type === 'counter' && !(sample.value >= 0))
      throw new ExpositionError('counter', at, `a counter of ${sample.value}`);
    const bound = type === 'histogram' && sample.name.endsWith('_bucket') ? 'le' : undefined;
    const part = type === 'summary' && sample.name === name ? 'quantile' : bound;
    if (
      part !== undefined &&
      !/^(?:\d+(?:\.\d+(?:e[+-]\d+)?|e[+-]\d+)|\+Inf)$/.test(sample.labels.get(part) ?? '')
    )
      throw new ExpositionError('le', at, `${part} ${sample.labels.get(part)} is no canonical number`);
    const metric = keyOf({ name, labels: new Map([...sample.labels].filter(([label]) => label !== part)) });
    if (metric !== this.#metric) {
      if (this.#left.has(metric)) throw new ExpositionError('interleaved', at, metric);
      this.#left.add(this.#metric);
      this.#metric = metric;
    }
    const key = keyOf(sample);
    const before = this.#seen.get(key);
    this.#seen.set(key, sample.time ?? null);
    if (before === undefined) return;
    if (before === null && sample.time === undefined) throw new ExpositionError('duplicateSeries', at, key);
    if (before === null || sample.time === undefined) throw new ExpositionError('mixedTimes', at, key);
    if (sample.time === before) throw new ExpositionError('duplicateSeries', at, key);
    if (sample.time < before) throw new ExpositionError('descending', at, key);
  }
}

/** Seconds as milliseconds, cut off as Prometheus does. */
function readSeconds(text: string, at: number): number {
  if (!/^-?\d+(?:\.\d+)?$/.test(text))
    throw new ExpositionError('timestamp', at, `${JSON.stringify(text)} is no time in seconds`);
  return Math.trunc(Number(text) * 1000);
}
