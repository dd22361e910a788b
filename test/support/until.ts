import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so, where `expect.poll` can't: in a hook, or outside of a test. Throws when it is not so in time. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  { timeout, interval }: { readonly timeout: number; readonly interval: number },
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not so after ${timeout} ms: ${isSo.toString()}`);
    await sleep(interval);
  }
}
