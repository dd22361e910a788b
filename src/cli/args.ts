import { parseArgs } from 'node:util';
import { shown } from '../core/errors.ts';
import type { Environment } from '../config/environment.ts';
import { suggestion } from '../config/names.ts';
import type { Option, Options } from './options.ts';
import { UsageError } from './options.ts';

/** A command line that was read. */
export class Args {
  /** Words that are no options, in order. */
  readonly words: readonly string[];
  /** All that stands behind `--`; undefined where there is no `--`. */
  readonly rest: readonly string[] | undefined;
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(
    values: ReadonlyMap<string, unknown>,
    words: readonly string[],
    rest: readonly string[] | undefined,
  ) {
    this.#values = values;
    this.words = words;
    this.rest = rest;
  }

  /** Whether a switch is given. */
  on(name: string): boolean {
    return this.#values.get(name) === true;
  }

  text(name: string): string | undefined {
    return this.#values.get(name) as string | undefined;
  }

  /** Of an option that may be given several times, all values, in order. */
  texts(name: string): readonly string[] {
    return (this.#values.get(name) ?? []) as readonly string[];
  }

  number(name: string): number | undefined {
    return this.#values.get(name) as number | undefined;
  }
}

/** Options that every command takes. */
export const COMMON: Options = {
  help: { short: 'h', doc: 'Print this help.' },
};

/**
 * Reads what stands behind a command's name. An option that is not on the line is taken from its variable, if it has one that isn't
 * empty. Throws a UsageError.
 */
export function readArgs(argv: readonly string[], own: Options, env: Environment): Args {
  const options: Options = { ...own, ...COMMON };
  const end = argv.indexOf('--');
  const before = end === -1 ? argv : argv.slice(0, end);
  const { tokens } = parseArgs({
    args: [...before],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, alone, short }]) => [
        name,
        {
          type: type === undefined || alone !== undefined ? 'boolean' : 'string',
          ...(short !== undefined && { short }),
        } as const,
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const values = new Map<string, unknown>();
  const words: string[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'positional') {
      checkNotValue(token.value, tokens[index - 1], options);
      words.push(token.value);
    }
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw unknownFlag(rawName, options);
    if (values.has(name) && option.isMany !== true)
      throw new UsageError(`--${name} appears more than once; use it once`);
    // A negative number is a value; another option is one that stands where a value was forgotten.
    const isForgotten = token.inlineValue === false && token.value.startsWith('--');
    const one = read(`--${name}`, option, isForgotten ? undefined : value);
    values.set(
      name,
      option.isMany === true ? [...((values.get(name) ?? []) as readonly unknown[]), one] : one,
    );
  }
  for (const [name, option] of Object.entries(options)) {
    const given = option.env === undefined ? undefined : env[option.env];
    if (!values.has(name) && given !== undefined && given !== '')
      values.set(name, read(option.env ?? name, option, given));
  }
  return new Args(values, words, end === -1 ? undefined : argv.slice(end + 1));
}

/** Refuses a word that is the value of the option before it, which may stand alone and so takes none behind a blank. */
function checkNotValue(
  word: string,
  before: { readonly kind: string; readonly name?: string; readonly value?: string | undefined } | undefined,
  options: Options,
): void {
  if (before?.kind !== 'option' || before.name === undefined || before.value !== undefined) return;
  const option = Object.hasOwn(options, before.name) ? options[before.name] : undefined;
  if (option?.alone === undefined || option.type === undefined) return;
  try {
    option.type.parse(word);
  } catch {
    return;
  }
  throw new UsageError(
    `--${before.name} takes its value behind an equals sign; write --${before.name}=${word}`,
  );
}

function read(name: string, { type, alone }: Option, given: string | undefined): unknown {
  const value = given ?? alone;
  if (type === undefined) {
    if (value === undefined) return true;
    throw new UsageError(`${name} takes no value, not ${shown(value)}; write ${name} alone`);
  }
  if (value === undefined) throw new UsageError(`${name} needs a value; write ${name}=${type.placeholder}`);
  try {
    return type.parse(value);
  } catch (cause) {
    throw new UsageError(`${name} ${(cause as Error).message}`, { cause });
  }
}

function unknownFlag(rawName: string, options: Options): UsageError {
  const near = suggestion(rawName.replace(/^-+/, ''), Object.keys(options), '--');
  return new UsageError(`unknown flag ${shown(rawName)}${near}; see --help for all flags`);
}
