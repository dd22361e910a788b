import { shown } from '../core/errors.ts';

/** What one label must be. `__name__` is the metric's name; a label that isn't there has the empty value, as in PromQL. */
export interface Matcher {
  readonly name: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** Matchers that all have to match. */
export type Selector = readonly Matcher[];

/** Why a selector can't be used, in words that go on behind its name. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

export const METRIC_NAME = '__name__';

const MATCHERS_MAX = 20;

/** A bare name: a metric's may have colons. */
const METRIC = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const OPERATOR = /=~|!~|!=|=/y;
const BLANKS = /\s*/y;
const RAW = /`([^`]*)`/y;
const QUOTED = /"((?:[^"\\\n]|\\[^\n])*)"|'((?:[^'\\\n]|\\[^\n])*)'/y;

/** What may stand behind a backslash in quotes, https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals */
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/**
 * Reads a series selector as Prometheus has them in queries, and in `match[]`: `deploys`, `{type="deploy",service=~"api.*"}`. Regular expressions are
 * not looked at. Throws a SelectorError.
 */
export function readSelector(text: string): Selector {
  return new Reading(text).selector();
}

class Reading {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  selector(): Selector {
    const matchers: Matcher[] = [];
    this.#skip(BLANKS);
    const metric = this.#skip(METRIC)?.[0];
    if (metric !== undefined) matchers.push({ name: METRIC_NAME, operator: '=', value: metric });
    this.#skip(BLANKS);
    if (this.#take('{')) this.#matchers(matchers);
    else if (metric === undefined) throw this.#unexpected('a metric name or {');
    if (this.#at < this.#text.length) throw this.#unexpected('its end');
    if (matchers.length === 0)
      throw new SelectorError('selects everything; leave out select for that, or add a matcher');
    if (matchers.length > MATCHERS_MAX)
      throw new SelectorError(`has ${matchers.length} matchers; the limit is ${MATCHERS_MAX}`);
    return matchers;
  }

  #matchers(matchers: Matcher[]): void {
    while (!this.#take('}')) {
      matchers.push(this.#matcher());
      if (this.#take(',')) continue;
      if (!this.#take('}')) throw this.#unexpected(', or }');
      return;
    }
  }

  #matcher(): Matcher {
    const quoted = this.#string();
    const name = quoted ?? this.#skip(LABEL)?.[0];
    if (name === undefined) throw this.#unexpected('a label name');
    this.#skip(BLANKS);
    const operator = this.#skip(OPERATOR)?.[0] as Matcher['operator'] | undefined;
    if (operator === undefined) {
      // A metric's name beyond the legacy charset stands in the braces, in quotes.
      if (quoted !== undefined) return { name: METRIC_NAME, operator: '=', value: quoted };
      throw this.#unexpected('=, !=, =~ or !~');
    }
    this.#skip(BLANKS);
    const value = this.#string();
    if (value === undefined) throw this.#unexpected('a value in quotes');
    return { name, operator, value };
  }

  /** In quotes of either kind, or in backticks; undefined where none begins. */
  #string(): string | undefined {
    const raw = this.#skip(RAW)?.[1];
    if (raw !== undefined) return raw;
    const found = this.#skip(QUOTED);
    if (found === undefined) return undefined;
    return (found[1] ?? found[2] ?? '').replaceAll(/\\(.)/gsu, (_whole, c: string) => {
      const meant = ESCAPES[c];
      if (meant !== undefined) return meant;
      throw new SelectorError(
        `has the unknown escape sequence \\${c}; write \\\\${c}, or put the value in backticks`,
      );
    });
  }

  #skip(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  /** One character, and the blanks around it. */
  #take(character: string): boolean {
    this.#skip(BLANKS);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    this.#skip(BLANKS);
    return true;
  }

  #unexpected(expected: string): SelectorError {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    const where = rest === '' ? 'ends' : `has ${shown(rest)}`;
    return new SelectorError(
      `${where} where ${expected} must follow; write it as in PromQL, such as {type="deploy",service=~"api.*"}`,
    );
  }
}
