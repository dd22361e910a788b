import { setImmediate } from 'node:timers';

/** How many turns the event loop had while work was done. `told` is called in each of them. */
export async function turnsDuring(work: () => unknown, told: () => void = () => undefined): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = () => {
    if (isOver) return;
    told();
    turns += 1;
    setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  return turns;
}
