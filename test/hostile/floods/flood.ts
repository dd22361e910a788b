import type { Random } from '../../faults/random.ts';
import type { Tally } from './tally.ts';

/** What a flood is sent to, for how long, and where it is counted. */
export interface Victim {
  readonly port: number;
  /** The address that the flood comes from: another than those of whoever may be here. */
  readonly localAddress: string;
  /** By `performance.now()`. */
  readonly deadline: number;
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
  /** Lasts so many times as long as others, since what does harm has to be accepted first; 1 by default. */
  readonly times?: number;
  readonly setting?: Setting;
  /** Sends until the deadline, with a bounded number of connections. */
  readonly send: (victim: Victim) => Promise<void>;
}
