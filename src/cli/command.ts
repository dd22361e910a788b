import type { Args } from './args.ts';
import type { CliIo } from './io.ts';
import type { Options } from './options.ts';

/** What a command ends with. `run` ends with its command's own code instead. */
export const EXIT = {
  /** All is well. */
  ok: 0,
  /** It went wrong while running: the server can't be reached, or has no room. */
  failed: 1,
  /** It was asked for what can't be: a wrong flag, a wrong setting, an event that can't be one. */
  unusable: 2,
  /** The server says that the event breaks a rule. */
  refused: 3,
  /** The address or the credentials are wrong. */
  denied: 4,
  /** The event is safe, and is not delivered yet. */
  pending: 5,
} as const;

/** A command: what help and completion tell of it, and what it does. */
export interface Command {
  /** One word or two: `push`, `config check`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What stands behind the name: `[type] [label=value ...]`. */
  readonly usage: string;
  /** Paragraphs. */
  readonly about: readonly string[];
  readonly options: Options;
  readonly examples: readonly string[];
  readonly exits: readonly (readonly [code: string, when: string])[];
  /** Words that may stand behind the name, for completion. */
  readonly words?: readonly string[];
  /** The oldest Node that can run it. */
  readonly nodeMajorMin: number;
  /** Resolves with the exit code. Throws a UsageError, a ConfigError or a PushError, which the caller tells. */
  run(io: CliIo, args: Args): Promise<number>;
}

/** The commands that talk to a server run on it; the server itself needs a newer one. */
export const CLIENT_NODE_MIN = 20;
export const SERVER_NODE_MIN = 24;
