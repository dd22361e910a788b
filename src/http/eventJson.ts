import type { Entry } from '../core/entry.ts';
import { eventIdOf } from '../core/eventId.ts';
import { readSeries } from '../core/series.ts';
import { formatSampleValue } from '../core/value.ts';

const TIME = { type: 'string', format: 'date-time' } as const;

/** How an event is shown. */
export const EVENT_JSON = {
  type: 'object',
  required: ['offset', 'eventId', 'series', 'name', 'labels', 'value', 'time', 'arrived'],
  properties: {
    offset: { type: 'integer', minimum: 0, description: "The event's place in the log" },
    eventId: { type: 'string', description: 'What stands for the event, for GET /api/v1/events/{id}' },
    series: { type: 'string', description: 'The name and labels as Prometheus writes them' },
    name: { type: 'string' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    value: {
      type: 'string',
      description:
        "A float64 as a string, as in Prometheus' own API, because JSON has no NaN and no infinity",
    },
    time: { ...TIME, description: 'The time that timed scrapes show' },
    arrived: { ...TIME, description: 'When the server accepted it' },
  },
} as const;

export function eventJson({ offset, series, value, time, arrived }: Entry) {
  const { metric, labels } = readSeries(series);
  return {
    offset,
    eventId: eventIdOf(offset, arrived),
    series,
    name: metric,
    labels: Object.fromEntries(labels.map((label) => [label.name, label.value])),
    value: formatSampleValue(value),
    time: new Date(time).toISOString(),
    arrived: new Date(arrived).toISOString(),
  };
}
