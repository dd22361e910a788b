import type { Counts } from '../counting/counts.ts';
import type { LogState, StoreState } from '../log/entryLog.ts';
import type { OwnMetric, Reading } from './ownMetric.ts';
import { counter, gauge } from './ownMetric.ts';

/** Each includes those before it. */
const SURVIVES: Record<StoreState['survives'], number> = { process: 1, power: 2, machine: 3 };

/** What is told of a store over a network; of others nothing. */
export function storeMetrics(
  logState: () => LogState,
  leads: (() => boolean) | undefined,
  counts: Pick<Counts, 'withheld'>,
): readonly OwnMetric[] {
  const single = (read: (state: StoreState) => number) => ({
    isHidden: true as const,
    labels: [],
    read: (): readonly Reading[] => {
      const { store } = logState();
      return store === undefined ? [] : [[read(store), []]];
    },
  });
  return [
    {
      ...gauge(
        'leader',
        'With store.kind=postgres: 1 while this server is the one that delivers the events, otherwise 0. One of all servers on a schema is.',
      ),
      isHidden: true,
      labels: [],
      read: () => (leads === undefined ? [] : [[leads() ? 1 : 0, []]]),
    },
    {
      ...gauge('store_up', 'With store.kind=postgres: 1 while the database can be used, otherwise 0.'),
      ...single(({ isAway }) => (isAway ? 0 : 1)),
    },
    {
      ...gauge(
        'store_survives',
        'With store.kind=postgres: what accepted events survive by the settings of the database. 1: a crash of the database. 2: also a loss of power. 3: also the loss of its machine.',
      ),
      ...single(({ survives }) => SURVIVES[survives]),
    },
    {
      ...counter(
        'scrapes_withheld_total',
        "With store.kind=postgres: scrapes that were answered without events because the database couldn't be used.",
      ),
      ...single(() => counts.withheld),
    },
  ];
}
