/**
 * Preloaded into the server (`node --import`), it watches how late its event loop is. SIGUSR2 begins anew; the next one writes what
 * was seen since: `delay <p99> <max>`, in ms.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const NANOSECONDS = 1e6;
/** The monitor is a timer of this many ms, and counts its own interval with the delay. */
const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let running = false;

process.on('SIGUSR2', () => {
  running = !running;
  if (running) {
    delay.reset();
    delay.enable();
    return;
  }
  delay.disable();
  console.log(`delay ${delay.percentile(99) / NANOSECONDS} ${delay.max / NANOSECONDS}`);
});
