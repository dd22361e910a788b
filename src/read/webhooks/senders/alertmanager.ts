import type { MappingSource } from '../language.ts';
import { notifiedAlerts, postedAlerts } from '../shapes/alerts.ts';
import type { Preset } from './sender.ts';

/**
 * One event when an alert begins to fire and one when it is resolved: they have the same fingerprint and the same beginning, and the status
 * tells them apart, however often each is sent.
 */
const ALERTS: MappingSource = {
  each: '/alerts',
  labels: { type: { const: 'alert' }, status: '/status' },
  labelsFrom: { from: '/labels', prefix: 'alert_' },
  id: '{/fingerprint}:{/startsAt}:{/status}',
  kinds: {
    firing: { when: { '/status': ['firing'] }, time: { from: '/startsAt', unit: 'rfc3339' } },
    resolved: { when: { '/status': ['resolved'] }, time: { from: '/endsAt', unit: 'rfc3339' } },
  },
};

const BEARER = { by: 'token', header: 'Authorization', prefix: 'Bearer ' } as const;

export const ALERTMANAGER: Preset = {
  name: 'alertmanager',
  path: '/webhook/alertmanager',
  receives: 'webhooks from Alertmanager',
  sender: 'Alertmanager, `webhook_configs`',
  source: 'https://prometheus.io/docs/alerting/latest/configuration/#webhook_config',
  check: BEARER,
  shape: notifiedAlerts,
  shaped: 'An alert without a `fingerprint` gets the one that Alertmanager 0.19 and later would send',
  answer: 'counts',
  repeats: true,
  idSpace: 'alertmanager',
  mapping: ALERTS,
};

/** Prometheus itself, with this server listed as one of its Alertmanagers. Its ids are those that Alertmanager's webhook gives. */
export const PROMETHEUS: Preset = {
  name: 'prometheus',
  path: '/api/v2/alerts',
  receives: 'alerts from Prometheus, as Alertmanager does',
  sender: 'Prometheus, `alerting.alertmanagers`',
  source: 'https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml',
  check: BEARER,
  shape: postedAlerts,
  shaped:
    "The body is an array. It is read like `alerts` in Alertmanager's webhook, with the `fingerprint` that Alertmanager would send; an alert is `resolved` once its `endsAt` has passed",
  answer: 'empty',
  repeats: true,
  idSpace: 'alertmanager',
  mapping: ALERTS,
};
