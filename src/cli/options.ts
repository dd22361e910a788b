import type { ValueType } from '../config/valueTypes.ts';

/** One option of a command. One without a type is a switch. */
export interface Option {
  readonly type?: ValueType<unknown>;
  /** What it means where it stands without a value. Such an option has its value behind `=` only. */
  readonly alone?: string;
  /** Whether it may be given several times. */
  readonly isMany?: boolean;
  /** One letter. */
  readonly short?: string;
  readonly doc: string;
  /** The variable that gives it where the command line does not. */
  readonly env?: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What was typed makes no sense. The message is one line that says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
