import { shortValue } from '../counting/shortValue.ts';
import type { SinkState } from '../sinks/sinkState.ts';
import type { OwnMetric, Reading } from './ownMetric.ts';
import { counter, gauge, labelled } from './ownMetric.ts';

/** What is told of sinks. */
export function sinkMetrics(states: () => readonly SinkState[]): readonly OwnMetric[] {
  const labelOf = ({ name }: SinkState) => ['sink', shortValue(name)] as const;
  const each = (read: (state: SinkState) => number) => ({
    isHidden: true as const,
    labels: ['sink'],
    read: () => states().map((state): Reading => [read(state), labelled(labelOf(state))]),
  });
  const byCode = (counts: (state: SinkState) => ReadonlyMap<string, number>) => ({
    isHidden: true as const,
    labels: ['sink', 'code'],
    read: () =>
      states().flatMap((state) =>
        [...counts(state)].map(([code, count]): Reading => [count, labelled(labelOf(state), ['code', code])]),
      ),
  });
  return [
    {
      ...counter(
        'sink_requests_total',
        'Requests to the receiver behind each sink, by the status code of the answer, or none.',
      ),
      ...byCode(({ requests }) => requests),
    },
    {
      ...counter(
        'sink_retries_total',
        'Requests sent again because the one before was not answered or not accepted.',
      ),
      ...each(({ retries }) => retries),
    },
    {
      ...counter(
        'sink_refused_total',
        'Events, and ends of pulses, that the receiver behind a sink refused one by one, and that were dropped, by the status code of its answer.',
      ),
      ...byCode(({ refused }) => refused),
    },
    {
      ...counter(
        'sink_not_selected_total',
        'Events, and ends of pulses, that each sink passed over because its select leaves them out.',
      ),
      ...each(({ passedOver }) => passedOver),
    },
    {
      ...counter(
        'sink_own_metrics_total',
        "Times that the server's own metrics were sent to a sink, if it gets them, by outcome: stored or failed.",
      ),
      isHidden: true,
      labels: ['sink', 'outcome'],
      read: () =>
        states().flatMap((state) =>
          Object.entries(state.own ?? {}).map(([outcome, count]): Reading => [
            count,
            labelled(labelOf(state), ['outcome', outcome]),
          ]),
        ),
    },
    {
      ...gauge(
        'sink_last_success_timestamp_seconds',
        'When the receiver behind each sink last stored something, as a Unix time. 0 means never since the start.',
      ),
      ...each(({ lastSuccess }) => lastSuccess / 1000),
    },
    {
      ...gauge(
        'sink_failing_seconds',
        'Seconds since the receiver behind each sink stopped accepting events. 0 means that it accepts them.',
      ),
      ...each(({ failingMs }) => failingMs / 1000),
    },
  ];
}
