import { RefusedError } from '../../../../core/errors.ts';
import type { Millis } from '../../../../core/millis.ts';
import { isObject } from '../pointer.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Shape } from './shape.ts';

/** How Go writes the time that is none. */
const ZERO = '0001-01-01T00:00:00Z';

/**
 * `POST /api/v2/alerts` of Alertmanager, made what its webhook sends: each alert gets its `fingerprint`, its `status`, and the `startsAt`
 * that Alertmanager would give it. An alert is resolved once its `endsAt` has come; Prometheus sends one that fires with an `endsAt` some
 * minutes ahead. Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
export const postedAlerts: Shape = (document, now) => {
  if (!Array.isArray(document))
    throw new RefusedError('body', 'the body must be an array of alerts, as in the API v2 of Alertmanager');
  return { alerts: (document as unknown[]).map((alert, index) => posted(alert, `/${index}`, now)) };
};

function posted(alert: unknown, place: string, now: Millis): unknown {
  if (!isObject(alert)) throw new RefusedError(place, `${place} must be an alert, a JSON object`);
  const labels = labelsOf(alert['labels'], `${place}/labels`);
  const startsAt = timeIn(alert['startsAt']);
  const endsAt = timeIn(alert['endsAt']);
  const isOver = endsAt !== undefined && Date.parse(endsAt) <= now;
  return {
    labels: Object.fromEntries(labels),
    startsAt: startsAt ?? endsAt ?? new Date(now).toISOString(),
    endsAt,
    fingerprint: fingerprintOf(labels),
    status: isOver ? 'resolved' : 'firing',
  };
}

/** Labels with a value, which are all that an alert is known by. */
function labelsOf(labels: unknown, place: string): (readonly [string, string])[] {
  const entries = isObject(labels) ? Object.entries(labels) : [];
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const given = texts.filter(([, value]) => value !== '');
  if (texts.length < entries.length || given.length === 0)
    throw new RefusedError(place, `${place} must be an object of texts, with one at least that is not empty`);
  return given;
}

function timeIn(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw !== '' && raw !== ZERO ? raw : undefined;
}
