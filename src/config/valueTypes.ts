import { shown } from '../core/errors.ts';

/** A type of value: how it is read, how it is written, and what stands for it in --help. */
export interface ValueType<T> {
  /** What stands for a value in --help: `<port>`. */
  readonly placeholder: string;
  /** Whether a flag of this type may stand without a value, and then means `true`. */
  readonly standsAlone?: true;
  /**
   * Reads a text (from a flag or the environment) or a JSON value (from config.json). Throws an Error whose message goes on
   * from "<key>: ", names the rule and the value, and says what to do.
   */
  parse(raw: unknown): T;
  /** Writes a value as `parse` reads it, in the shortest way. */
  format(value: T): string;
}

/** The error of every type: the rule, the value cut short, what to do. */
export function refused(rule: string, raw: unknown, remedy: string): Error {
  return new Error(`must be ${rule}, not ${shown(raw)}; ${remedy}`);
}

/**
 * The whole number that a JSON number or a text of digits stands for; undefined for anything else (`1e3`, `-1`, `0x10`, `1.5`).
 * It may be beyond 2^53, and then beyond the range of every type, too.
 */
export function wholeNumber(raw: unknown): number | undefined {
  if (typeof raw === 'string') return /^\d+$/.test(raw) ? Number(raw) : undefined;
  return typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 ? raw : undefined;
}

/** A whole number, both ends included. */
export function integer(min: number, max: number): ValueType<number> {
  return wholeNumbers('<number>', `a whole number from ${min} to ${max}`, min, max);
}

/** A TCP port; 0 lets the system choose a free one. */
export function port(): ValueType<number> {
  return wholeNumbers('<port>', 'a port from 0 to 65535 (0 for any free one)', 0, 65_535);
}

function wholeNumbers(placeholder: string, rule: string, min: number, max: number): ValueType<number> {
  return {
    placeholder,
    parse(raw) {
      const value = wholeNumber(raw);
      if (value === undefined) throw refused(rule, raw, 'use digits only');
      if (value < min || value > max) throw refused(rule, raw, 'choose a number in this range');
      return value;
    },
    format: String,
  };
}

/** `true` or `false` in any case. */
export function boolean(): ValueType<boolean> {
  return {
    placeholder: '<true|false>',
    standsAlone: true,
    parse(raw) {
      const word = typeof raw === 'string' ? raw.toLowerCase() : raw;
      if (word === true || word === 'true') return true;
      if (word === false || word === 'false') return false;
      throw refused('true or false', raw, 'use one of them');
    },
    format: String,
  };
}

/** What a text must look like, where not every text will do. */
export interface TextRule {
  readonly pattern: RegExp;
  /** Goes on from "must be ". */
  readonly rule: string;
  readonly remedy: string;
  /** What breaks the rule may be a secret, and is not shown. */
  readonly hides?: true;
}

/** For a text that must say something. */
export const NOT_EMPTY: TextRule = {
  pattern: /\S/,
  rule: 'a non-empty string',
  remedy: 'set one, or remove the setting to use the default',
};

/** Any text, or one that keeps a rule. */
export function text(kept?: TextRule): ValueType<string> {
  return {
    placeholder: '<text>',
    parse(raw) {
      if (typeof raw !== 'string') throw refused('a string', raw, 'put it in double quotes');
      if (kept !== undefined && !kept.pattern.test(raw)) throw refused(kept.rule, raw, kept.remedy);
      return raw;
    },
    format: quotedWhereNeeded,
  };
}

/** One of a few words. `anyCase` also takes `info` for `INFO`; the result is always spelt as in `choices`. */
export function oneOf<const T extends string>(
  choices: readonly [T, ...T[]],
  { anyCase = false }: { readonly anyCase?: boolean } = {},
): ValueType<T> {
  const folded = (word: string): string => (anyCase ? word.toLowerCase() : word);
  return {
    placeholder: `<${choices.join('|')}>`,
    parse(raw) {
      const found = choices.find((choice) => typeof raw === 'string' && folded(raw) === folded(choice));
      if (found === undefined)
        throw refused(`one of ${choices.join(', ')}`, raw, `use one of them, for example ${choices[0]}`);
      return found;
    },
    format: String,
  };
}

/**
 * Texts: separated by commas, or an array in config.json. The empty text is the empty list. No item may be empty, and each keeps the
 * rule if there is one.
 */
export function list(kept?: TextRule): ValueType<readonly string[]> {
  return {
    placeholder: '<list>',
    parse(raw) {
      const items: unknown = typeof raw === 'string' ? splitAtCommas(raw) : raw;
      if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) {
        throw refused('a list of strings', raw, 'write a,b,c, or ["a", "b", "c"] in config.json');
      }
      const trimmed = items.map((item) => item.trim());
      if (trimmed.includes(''))
        throw refused('a list without empty items', raw, 'remove the empty item or the extra comma');
      const wrong = trimmed.find((item) => kept?.pattern.test(item) === false);
      if (kept !== undefined && wrong !== undefined)
        throw kept.hides
          ? new Error(
              `must be a list in which each item is ${kept.rule}; ${kept.remedy}; the value isn't shown because it may be a secret`,
            )
          : refused(`a list in which each item is ${kept.rule}`, wrong, kept.remedy);
      return trimmed;
    },
    format: (items) => quotedWhereNeeded(items.join(',')),
  };
}

function splitAtCommas(raw: string): string[] {
  return raw.trim() === '' ? [] : raw.split(',');
}

/** Quotes a text that would not read as one word, so that a printed line stays a line and an empty text can be seen. */
function quotedWhereNeeded(value: string): string {
  return /^[^\s"'#\p{C}]+$/u.test(value) ? value : JSON.stringify(value);
}
