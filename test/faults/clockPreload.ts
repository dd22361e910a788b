/**
 * Preloaded into the server (`node --import`), it sets the wall clock back by two seconds at the first SIGUSR2, forward again at the
 * next, and so on. Timers run on another clock and notice nothing, as when a machine's clock is stepped.
 */
const STEP_MS = 2_000;

const trueNow = Date.now;
let behindMs = 0;

Date.now = () => trueNow() - behindMs;
process.on('SIGUSR2', () => {
  behindMs = STEP_MS - behindMs;
});
