/** How many times as long twice as much may take. What is linear takes twice as long, what is quadratic four times. */
export const SLOWDOWN_MAX = 2.5;

/** The least of so many measurements counts: what the machine does besides only adds to them. */
const MEASURED = 3;
/**
 * So often it may be tried: garbage collections, or a neighbour that uses the caches, may fall into all measurements of one try. What is quadratic takes
 * four times as long in each.
 */
const TRIES = 10;
/** Work shorter than this, in ms, is doubled for the next try: a collection more or less is a large part of it. */
const LONG_ENOUGH_MS = 200;
/** What is never more than the clock and the garbage collector, in ms. */
const NOISE_MS = 10;

/**
 * How many times as long work of 2 N takes as work of N, in the time of the processor. `prepare` makes its input anew for each measurement, so
 * that no text brings a hash along that was made before.
 */
export async function slowdown<Input>(
  n: number,
  prepare: (n: number) => Input | Promise<Input>,
  work: (input: Input) => unknown,
): Promise<number> {
  let size = n;
  let least = Infinity;
  for (let attempt = 0; attempt < TRIES && least >= SLOWDOWN_MAX; attempt += 1) {
    let once = Infinity;
    let twice = Infinity;
    for (let i = 0; i < MEASURED; i += 1) {
      once = Math.min(once, await cpuMs(await prepare(size), work));
      twice = Math.min(twice, await cpuMs(await prepare(2 * size), work));
    }
    least = Math.min(least, (twice - NOISE_MS) / once);
    if (once < LONG_ENOUGH_MS) size *= 2;
  }
  return least;
}

async function cpuMs<Input>(input: Input, work: (input: Input) => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work(input);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
