import type { Handler } from './endpoint.ts';
import type { Operation } from './operation.ts';
import { empty, refusal } from './operation.ts';

export const RESET_COUNTERS: Operation = {
  id: 'resetCounters',
  tag: 'counters',
  summary: 'Reset the counter of events, events_to_metrics_events_total',
  description:
    'Removes all its series. They start again at 0, which Prometheus sees as a counter reset, and events counted as `other` get their own series again. ' +
    'Events stay, also those that scrapers have yet to get.',
  responses: {
    204: empty("Reset; a restart doesn't bring the series back"),
    503: refusal('The disk is full, and nothing was reset; see Retry-After'),
  },
};

/** Makes room again after a flood of label values, which stay in every scrape otherwise. `reset` throws an UnavailableError. */
export function resetCounters(reset: () => Promise<void>): Handler {
  return async (exchange) => {
    await reset();
    exchange.status(204).send();
  };
}
