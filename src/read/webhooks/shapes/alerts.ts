import { RefusedError } from '../../../core/errors.ts';
import type { Millis } from '../../../core/millis.ts';
import { JsonNumber } from '../../json.ts';
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
export const postedAlerts: Shape = {
  body: (document) => {
    if (!Array.isArray(document))
      throw new RefusedError('body', "the body must be an array of alerts, as in Alertmanager's API v2");
    return { alerts: document as unknown[] };
  },
  item: posted,
  readsAll: true,
};

/** Alertmanager's webhook, whose alerts had no `fingerprint` before its release 0.19: it is computed then, as Alertmanager does. */
export const notifiedAlerts: Shape = {
  body: (document) => document,
  item: (alert) => {
    if (!isObject(alert)) return alert;
    const { fingerprint } = alert;
    if (typeof fingerprint === 'string' && fingerprint !== '') return alert;
    const labels = labelsOf(alert['labels']);
    return labels.length === 0 ? alert : { ...alert, fingerprint: fingerprintOf(labels) };
  },
  readsAll: false,
};

function posted(alert: unknown, now: Millis): unknown {
  if (!isObject(alert)) throw new RefusedError('body', 'an alert must be a JSON object');
  const labels = labelsOf(alert['labels']);
  if (labels.length === 0)
    throw new RefusedError('labels', 'labels must be an object of strings, at least one of them not empty');
  const startsAt = timeIn(alert['startsAt']);
  const endsAt = timeIn(alert['endsAt']);
  const isOver = endsAt !== undefined && Date.parse(endsAt) <= now;
  return {
    labels: alert['labels'],
    startsAt: startsAt ?? endsAt ?? new Date(now).toISOString(),
    endsAt,
    fingerprint: fingerprintOf(labels),
    status: isOver ? 'resolved' : 'firing',
  };
}

/** Labels with a value, which are all that an alert is known by. */
function labelsOf(labels: unknown): readonly (readonly [string, string])[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([name, value]) => {
    const text = value instanceof JsonNumber ? value.text : value;
    return typeof text === 'string' && text !== '' ? [[name, text] as const] : [];
  });
}

function timeIn(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw !== '' && raw !== ZERO ? raw : undefined;
}
