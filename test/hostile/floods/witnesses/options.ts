import type { ClientRequestArgs } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WitnessOptions {
  readonly port: number;
  /** The server's process. */
  readonly pid: number;
  readonly tls: boolean;
  /** A name and a password. */
  readonly user?: string;
  /** What makes ids of this row differ from those of all others. */
  readonly row: string;
}

/** The metric of legitimate events. */
export const LEGITIMATE = 'legitimate';

/** What all requests of a legitimate client have in common. It comes from an address of its own. */
export function requestOptions({ port, user }: WitnessOptions, localAddress: string): ClientRequestArgs {
  return {
    host: '127.0.0.1',
    port,
    localAddress,
    ...(user !== undefined && { auth: user }),
    // The certificate of the tests is for another name.
    ...({ rejectUnauthorized: false } as object),
  };
}

/** Waits for a while, or for the end of the flood. Tells whether the flood goes on. */
export async function isStillFlooded(over: Promise<void>, ms: number): Promise<boolean> {
  const isOver = over.then(() => false);
  return Promise.race([isOver, sleep(Math.max(0, ms), true)]);
}
