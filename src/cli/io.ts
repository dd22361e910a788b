import type { spawn } from 'node:child_process';
import type { Machine } from '../app/memory.ts';
import type { Environment } from '../config/environment.ts';
import type { ReadFile } from '../config/file.ts';
import type { Clock } from '../core/millis.ts';
import type { LastingOutput } from './lastingOutput.ts';

/** Where a command writes. */
export interface Output {
  write(text: string): unknown;
  /** Whether a person reads it. */
  readonly isTTY?: boolean;
}

export interface LastingOutputs {
  readonly stdout: () => Pick<LastingOutput, 'write' | 'isTTY' | 'lost'>;
  readonly stderr: () => Pick<LastingOutput, 'write' | 'isTTY' | 'lost'>;
}

/** What a command may touch of the process that runs it. */
export interface CliIo {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly readFile: ReadFile;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Whether standard input is a terminal, asked without touching it. */
  readonly isInteractive: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The same two for a command that goes on when they can't be written. Those above do so, too, once these are asked for. */
  readonly lasting: LastingOutputs;
  /** Tells of an error that nobody caught, before its stack is printed and the process ends with 1. */
  readonly onUncaught: (tell: (error: unknown) => void) => void;
  readonly clock: Clock;
  /** The memory that there is. */
  readonly machine: Machine;
  /** Milliseconds since some moment; unlike the clock it is never set back. */
  readonly elapsed: () => number;
  /** From 0 up to and without 1. */
  readonly random: () => number;
  /** Bytes that nobody can guess. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** An id that nobody else has. */
  readonly randomId: () => string;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly fetch: typeof globalThis.fetch;
  readonly spawn: typeof spawn;
  readonly signals: Signals;
  /** Ends the process when nobody reads standard output any more, if that can be known. Returns what ends the watching. */
  readonly watchReader: () => () => void;
  /** The user's home folder; undefined where there is none. */
  readonly home: string | undefined;
  /** The Node that runs this: 24. */
  readonly nodeMajor: number;
  readonly version: string;
  /** Reads the README. */
  readonly guide: () => string;
}

/** The signals that are sent to this process. Until one of these is called they do what they do to any process. */
export interface Signals {
  /** Resolves when the process is asked to stop, with the name of the signal. One that is no echo of it ends the process at once. */
  stopAsked(): Promise<string>;
  /** Tells of each signal of these names, until the returned function is called. */
  listen(names: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): () => void;
}
