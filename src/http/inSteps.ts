import { setImmediate } from 'node:timers/promises';

/** Work goes on for so long before others get a turn of the event loop, in ms. */
const TURN_MS = 4;

/** Does work that is made in steps, and lets others have their turns in between. */
export async function inSteps<Result>(steps: Iterator<void, Result>): Promise<Result> {
  let began = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - began < TURN_MS) continue;
    await setImmediate();
    began = performance.now();
  }
}
