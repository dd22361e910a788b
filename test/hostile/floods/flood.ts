import type { Random } from '../../faults/random.ts';
import type { Tally } from './tally.ts';

/** What a flood is sent to, for how long, and where it is counted. */
export interface Victim {
  readonly port: number;
  /** The address that the flood comes from: another than those of whoever may be here. */
  readonly localAddress: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  /** It goes on beyond the deadline until so many requests were answered, whatever the answers, or until this one. */
  readonly least: { readonly answers: number; readonly deadline: number };
  readonly random: Random;
  readonly tally: Tally;
}

/** What a server has to be like before a flood. */
export interface Setting {
  /** Flags beside those of every row. */
  readonly flags?: readonly string[];
  /** Files that the flags name, by their names, as `$FOLDER/<name>`. */
  readonly files?: Readonly<Record<string, string>>;
  /** A user and a password that a legitimate client has. */
  readonly user?: string;
  /** Starts on a log that holds so many entries already; `large` with `--large`. */
  readonly entries?: { readonly usual: number; readonly large: number };
}

/** One row: what strangers send, and to what server. */
export interface Flood {
  /** The number of its kind, as issue 12 counts them. */
  readonly kind: number;
  readonly name: string;
  /** Whether it is played where no kind is asked for: one or two of each kind are. */
  readonly isUsual?: true;
  /** Lasts until so many requests were answered, on a slow machine too: what does harm has to be accepted first. */
  readonly leastAnswers?: number;
  readonly setting?: Setting;
  /** What is sent before the time begins. */
  readonly prepare?: (victim: Victim) => Promise<void>;
  /** Sends until the deadline, with a bounded number of connections. */
  readonly send: (victim: Victim) => Promise<void>;
}

const LEAST_SECONDS_MAX = 60;

/** How long a flood lasts at most that has seconds, and perhaps answers to wait for. */
export function latestSeconds({ leastAnswers }: Flood, seconds: number): number {
  return leastAnswers === undefined ? seconds : Math.max(seconds, LEAST_SECONDS_MAX);
}
