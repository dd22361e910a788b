/**
 * A strict reader of Prometheus' text formats 0.0.4 and, with UTF-8 names, 1.0.0, for tests. It shares no code with `src/`, so that it can judge what `src/` writes:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 *
 * It throws on all that makes Prometheus fail a scrape or drop a sample, and on some things that Prometheus lets pass but that a
 * careful exporter doesn't write: interleaved families, a missing newline at the end, more than one blank between two tokens.
 */

/** Which rule a body breaks. */
export type Rule =
  | 'utf8'
  | 'finalNewline'
  | 'crlf'
  | 'comment'
  | 'name'
  | 'labelName'
  | 'quote'
  | 'escape'
  | 'truncated'
  | 'blanks'
  | 'value'
  | 'timestamp'
  | 'type'
  | 'repeatedType'
  | 'repeatedHelp'
  | 'lateType'
  | 'lateHelp'
  | 'interleaved'
  | 'clash'
  | 'duplicateLabel'
  | 'duplicateSeries'
  | 'descending'
  | 'mixedTimes'
  | 'le'
  // Of OpenMetrics alone: `openMetricsParser.ts`.
  | 'eof'
  | 'counter'
  | 'exemplar';

/** Whether names beyond the legacy charset may stand, in quotes: https://prometheus.io/docs/guides/utf8/ */
export type Names = 'legacy' | 'utf8';

export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
  readonly rule: Rule;
  /** From 1 on; 0 for the body as a whole. */
  readonly line: number;

  constructor(rule: Rule, line: number, detail: string) {
    super(`line ${line}: ${rule}: ${detail}`);
    this.rule = rule;
    this.line = line;
  }
}

export interface ParsedSample {
  /** With the suffix, where the family has such (`_bucket`, `_sum`, `_count`). */
  readonly name: string;
  /** Without those whose value is empty: they are no labels. */
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** In milliseconds; undefined where the sample gets the time of the scrape. */
  readonly time: number | undefined;
}

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

export interface ParsedFamily {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string | undefined;
  readonly samples: readonly ParsedSample[];
}

/** Parses a whole body. Throws an ExpositionError that says which rule is broken, and where. */
export function parseExposition(body: string | Uint8Array, names: Names = 'legacy'): readonly ParsedFamily[] {
  const text = decode(body);
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new ExpositionError('finalNewline', 0, 'the body ends inside a line');
  const reader = new Reader(names);
  const lines = text.slice(0, -1).split('\n');
  for (const [index, line] of lines.entries()) reader.take(line, index + 1);
  return reader.families();
}

/** All samples of a body, in order. */
export function parseSamples(body: string | Uint8Array, names: Names = 'legacy'): readonly ParsedSample[] {
  return parseExposition(body, names).flatMap((family) => family.samples);
}

export function decode(body: string | Uint8Array): string {
  if (typeof body === 'string') {
    if (!body.isWellFormed()) throw new ExpositionError('utf8', 0, 'half of a surrogate pair');
    return body;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new ExpositionError('utf8', 0, 'the body is not UTF-8');
  }
}

interface Family {
  readonly name: string;
  type: FamilyType | undefined;
  help: string | undefined;
  samples: ParsedSample[];
}

const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const SUFFIXES: Record<FamilyType, readonly string[]> = {
  counter: [''],
  gauge: [''],
  untyped: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

class Reader {
  readonly #names: Names;
  readonly #families: Family[] = [];
  /** Which family a sample's name belongs to. */
  readonly #owners = new Map<string, Family>();
  /** The last time of each series; null where it was untimed. */
  readonly #seen = new Map<string, number | null>();
  #current: Family | undefined;

  constructor(names: Names) {
    this.#names = names;
  }

  families(): ParsedFamily[] {
    return this.#families.map((family) => ({ ...family, type: family.type ?? 'untyped' }));
  }

  take(line: string, at: number): void {
    if (line.endsWith('\r')) throw new ExpositionError('crlf', at, 'a line ends in CR LF');
    if (line === '') return;
    if (line.startsWith('#')) this.#comment(line, at);
    else this.#sample(line, at);
  }

  #comment(line: string, at: number): void {
    if (!line.startsWith('# ')) throw new ExpositionError('comment', at, '# stands without a blank after it');
    const [, keyword, rest] = /^# (HELP|TYPE)(.*)$/su.exec(line) ?? [];
    if (keyword === undefined || rest === undefined) return;
    const { name, text } = readCommented(rest, at, this.#names);
    if (keyword === 'HELP') this.#help(name, text, at);
    else this.#type(name, text, at);
  }

  #help(name: string, text: string, at: number): void {
    const known = this.#own(name, at);
    if (known?.help !== undefined) throw new ExpositionError('repeatedHelp', at, name);
    if (known !== undefined && known.samples.length > 0) throw new ExpositionError('lateHelp', at, name);
    const family = this.#enter(name, at);
    family.help = unescape(text, '\\n', at);
  }

  #type(name: string, type: string, at: number): void {
    if (!TYPES.has(type)) throw new ExpositionError('type', at, `${JSON.stringify(type)} is no type`);
    const known = this.#own(name, at);
    if (known?.type !== undefined) throw new ExpositionError('repeatedType', at, name);
    if (known !== undefined && known.samples.length > 0) throw new ExpositionError('lateType', at, name);
    const family = this.#enter(name, at);
    family.type = type as FamilyType;
    for (const suffix of SUFFIXES[family.type]) {
      const owner = this.#owners.get(name + suffix);
      if (owner !== undefined && owner !== family) {
        throw new ExpositionError(
          owner.type === undefined ? 'lateType' : 'clash',
          at,
          `${name}${suffix} is taken`,
        );
      }
      this.#owners.set(name + suffix, family);
    }
  }

  /** The family of that name, if there is one yet. */
  #own(name: string, at: number): Family | undefined {
    const known = this.#owners.get(name);
    if (known !== undefined && known.name !== name)
      throw new ExpositionError('clash', at, `${name} belongs to ${known.name}`);
    return known;
  }

  /** Makes the family of that name the current one, which it can become only once. */
  #enter(name: string, at: number): Family {
    const known = this.#own(name, at);
    if (known !== undefined) return this.#stay(known, at);
    const family: Family = { name, type: undefined, help: undefined, samples: [] };
    this.#families.push(family);
    this.#owners.set(name, family);
    this.#current = family;
    return family;
  }

  #stay(family: Family, at: number): Family {
    if (family !== this.#current)
      throw new ExpositionError('interleaved', at, `${family.name} was left before`);
    return family;
  }

  #sample(line: string, at: number): void {
    const { name, labels, rest } = readSeries(line, at, this.#names);
    const [valueText, timeText, ...more] = rest.split(' ');
    if (rest.trim() === '') throw new ExpositionError('truncated', at, 'the value is missing');
    if (valueText === undefined || valueText === '' || timeText === '' || more.length > 0) {
      throw new ExpositionError('blanks', at, 'one blank stands between two tokens, and none elsewhere');
    }
    const sample: ParsedSample = {
      name,
      labels: new Map([...labels].filter(([, value]) => value !== '')),
      value: readValue(valueText, at),
      time: timeText === undefined ? undefined : readTime(timeText, at),
    };
    const owner = this.#owners.get(name);
    const family = owner === undefined ? this.#enter(name, at) : this.#stay(owner, at);
    if (!SUFFIXES[family.type ?? 'untyped'].includes(name.slice(family.name.length))) {
      throw new ExpositionError('type', at, `${name} can't be a sample of a ${family.type ?? 'untyped'}`);
    }
    if (family.type === 'histogram' && name.endsWith('_bucket')) readBound(sample.labels.get('le'), at);
    this.#remember(sample, at);
    family.samples.push(sample);
  }

  #remember(sample: ParsedSample, at: number): void {
    const key = keyOf(sample);
    const before = this.#seen.get(key);
    this.#seen.set(key, sample.time ?? null);
    if (before === undefined) return;
    if (before === null && sample.time === undefined) throw new ExpositionError('duplicateSeries', at, key);
    if (before === null || sample.time === undefined) throw new ExpositionError('mixedTimes', at, key);
    if (sample.time === before) throw new ExpositionError('duplicateSeries', at, `${key} at ${before}`);
    if (sample.time < before)
      throw new ExpositionError('descending', at, `${key}: ${sample.time} after ${before}`);
  }
}

/** One text for each series: its name, and its labels in an order of their own. */
export function keyOf({ name, labels }: Pick<ParsedSample, 'name' | 'labels'>): string {
  return JSON.stringify([name, ...[...labels].map((label) => JSON.stringify(label)).sort()]);
}

/** Reads what stands behind HELP or TYPE: a blank, a name, and perhaps a blank and a text. */
export function readCommented(rest: string, at: number, names: Names): { name: string; text: string } {
  if (names === 'utf8' && rest.startsWith(' "')) {
    const close = closingQuote(rest, 2, at);
    if (close + 1 < rest.length && rest[close + 1] !== ' ')
      throw new ExpositionError('blanks', at, 'a blank stands behind a name');
    return { name: readQuoted(rest.slice(2, close), METRIC_NAME, at), text: rest.slice(close + 2) };
  }
  const [, name, text] = /^ ([a-zA-Z_:][a-zA-Z0-9_:]*)(?: (.*))?$/su.exec(rest) ?? [];
  if (name === undefined) throw new ExpositionError('name', at, 'a comment has no valid metric name');
  return { name, text: text ?? '' };
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/u;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/u;

/** A name in quotes: not an empty one, and not one that needs no quotes, since a careful exporter writes a name in one way. */
function readQuoted(inside: string, unquoted: RegExp, at: number): string {
  const name = unescape(inside, '\\n"', at);
  if (name === '' || unquoted.test(name))
    throw new ExpositionError('name', at, `${JSON.stringify(name)} can't stand in quotes`);
  return name;
}

/** Reads `name{label="value",…} ` and leaves what stands behind its blank; with UTF-8 names `{"name",…} ` as well. */
export function readSeries(
  line: string,
  at: number,
  names: Names,
): { name: string; labels: Map<string, string>; rest: string } {
  let name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/u.exec(line)?.[0] ?? '';
  const labels = new Map<string, string>();
  let place = name.length;
  const behind = line[place];
  if (names === 'utf8' && line.startsWith('{"')) {
    const close = closingQuote(line, 2, at);
    name = readQuoted(line.slice(2, close), METRIC_NAME, at);
    place = line[close + 1] === ',' ? readLabels(line, close + 1, labels, at, names) : close + 2;
    if (line[close + 1] !== ',' && line[close + 1] !== '}')
      throw new ExpositionError('quote', at, 'a comma or a brace stands behind a name in quotes');
  } else {
    if (behind === undefined && name !== '')
      throw new ExpositionError('truncated', at, 'the value is missing');
    if (name === '' || (behind !== '{' && behind !== ' ')) {
      throw new ExpositionError(behind === '\t' ? 'blanks' : 'name', at, JSON.stringify(line.slice(0, 40)));
    }
    if (behind === '{') place = readLabels(line, place, labels, at, names);
  }
  if (line[place] === undefined) throw new ExpositionError('truncated', at, 'the value is missing');
  if (line[place] !== ' ')
    throw new ExpositionError('blanks', at, 'one blank stands between series and value');
  return { name, labels, rest: line.slice(place + 1) };
}

/** Reads from `{`, or from the comma behind a metric's name, on; returns the place behind `}`. */
function readLabels(
  line: string,
  brace: number,
  labels: Map<string, string>,
  at: number,
  names: Names,
): number {
  let place = brace + 1;
  for (;;) {
    const isQuoted = names === 'utf8' && line[place] === '"';
    const equals = isQuoted ? closingQuote(line, place + 1, at) + 1 : line.indexOf('=', place);
    if (equals === -1 || line[equals] === undefined)
      throw new ExpositionError('truncated', at, 'the labels are cut');
    if (line[equals] !== '=') throw new ExpositionError('quote', at, 'a name in quotes has no value');
    const name = isQuoted
      ? readQuoted(line.slice(place + 1, equals - 1), LABEL_NAME, at)
      : line.slice(place, equals);
    if ((!isQuoted && !LABEL_NAME.test(name)) || name === '__name__') {
      throw new ExpositionError('labelName', at, JSON.stringify(name));
    }
    if (labels.has(name)) throw new ExpositionError('duplicateLabel', at, name);
    if (line[equals + 1] !== '"')
      throw new ExpositionError('quote', at, `the value of ${name} has no opening quote`);
    const close = closingQuote(line, equals + 2, at);
    labels.set(name, unescape(line.slice(equals + 2, close), '\\n"', at));
    const behind = line[close + 1];
    if (behind === undefined) throw new ExpositionError('truncated', at, 'the labels are cut');
    if (behind === '}') return close + 2;
    if (behind !== ',')
      throw new ExpositionError('quote', at, `the value of ${name} holds a quote that is not escaped`);
    place = close + 2;
  }
}

function closingQuote(line: string, from: number, at: number): number {
  for (let place = from; place < line.length; place++) {
    if (line[place] === '"') return place;
    if (line[place] === '\\') place++;
  }
  throw new ExpositionError('truncated', at, 'a label value has no closing quote');
}

/** Undoes escapes; `allowed` are the characters that may follow a backslash. */
export function unescape(text: string, allowed: string, at: number): string {
  return text.replaceAll(/\\(.?)/gsu, (whole, next: string) => {
    if (next === '' || !allowed.includes(next))
      throw new ExpositionError('escape', at, `${JSON.stringify(whole)} is no escape`);
    return next === 'n' ? '\n' : next;
  });
}

/** As Go's `strconv.ParseFloat` reads it, without hexadecimal floats and underscores, which Prometheus refuses. */
export function readValue(text: string, at: number): number {
  if (/^nan$/iu.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/iu.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const value = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?$/iu.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value))
    throw new ExpositionError('value', at, `${JSON.stringify(text)} is no float64`);
  return value;
}

function readTime(text: string, at: number): number {
  const time = /^-?[0-9]+$/u.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(time))
    throw new ExpositionError('timestamp', at, `${JSON.stringify(text)} is no time in ms`);
  return time;
}

function readBound(le: string | undefined, at: number): void {
  if (le === undefined) throw new ExpositionError('le', at, 'a bucket has no le');
  try {
    readValue(le, at);
  } catch {
    throw new ExpositionError('le', at, `le ${JSON.stringify(le)} is no number`);
  }
}
