import { ConfigError } from './error.ts';
import type { ValueType } from './valueTypes.ts';

/** A variable of the Go server that came before, which works as it did there. */
export interface EnvAlias<T> {
  readonly name: string;
  parse(raw: string): T;
}

/** One row of the table. */
export interface Setting<T> {
  readonly type: ValueType<T>;
  readonly default: T;
  /** One or two plain sentences: the effect, and the unit where the type doesn't tell it. */
  readonly doc: string;
  /** More variables that set it; the variable named after the key wins over them. */
  readonly env?: readonly EnvAlias<T>[];
  /** Never shown: not by --print-config, not in an error. */
  readonly secret?: true;
  /** Can't stand in config.json, since it says where that file is. */
  readonly notInFile?: true;
}

/** Settings by key. The keys are dotted camelCase, their first segment the group: `server.port`. */
export type Table = Readonly<Record<string, Setting<unknown>>>;

/** Makes a row, whose default must be a value of its type. */
export function setting<const T>(row: Setting<T> & { readonly default: NoInfer<T> }): Setting<T> {
  return row;
}

/** A value that somebody gave, not read yet: a value that is overridden is never looked at. */
export interface Given {
  /** Where it comes from, as --print-config shows it. */
  readonly origin: string;
  /** Throws an Error as `ValueType.parse` does. */
  parse(): unknown;
}

/** Reads a given value. Throws a ConfigError. */
export function readGiven(key: string, row: Setting<unknown>, given: Given): unknown {
  try {
    return given.parse();
  } catch (cause) {
    if (row.secret)
      throw new ConfigError(
        `${key} (${given.origin}) is not a valid ${row.type.placeholder}; its value isn't shown because it is a secret`,
      );
    throw new ConfigError(
      `${key} (${given.origin}) ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
