import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for about so many ms, at random between half of it and half as much again: those who were disturbed together don't come back together. */
export async function pause(ms: number): Promise<void> {
  await sleep(randomInt(Math.floor(ms / 2), Math.ceil(ms * 1.5) + 1));
}
