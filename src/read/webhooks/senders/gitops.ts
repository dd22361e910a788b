import { asItCame } from '../shapes/shape.ts';
import type { Preset } from './sender.ts';

const PHASES = ['Succeeded', 'Failed', 'Error', 'Running', 'Terminating'];
const HEALTH = ['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'];
const SYNC = ['Synced', 'OutOfSync', 'Unknown'];

/**
 * Argo CD sends whatever its template says: the application itself as `{"app": …}`, or the few fields of the template in
 * docs/ingest/webhooks.md.
 */
export const ARGOCD: Preset = {
  name: 'argocd',
  path: '/webhook/argocd',
  receives: 'notifications from Argo CD',
  sender: 'Argo CD notifications, `service.webhook`',
  source: 'https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/',
  check: { by: 'token', header: 'X-Webhook-Token', prefix: '' },
  shape: asItCame,
  answer: 'counts',
  idSpace: 'argocd',
  mapping: {
    labels: {
      source: { const: 'argocd' },
      type: { from: '/type', default: 'sync' },
      app: { from: ['/app/metadata/name', '/app'] },
      project: { from: ['/app/spec/project', '/project'] },
      namespace: { from: ['/app/spec/destination/namespace', '/namespace'] },
      phase: { from: ['/app/status/operationState/phase', '/phase'], allow: PHASES },
      health: { from: ['/app/status/health/status', '/health'], allow: HEALTH },
      sync: { from: ['/app/status/sync/status', '/sync'], allow: SYNC },
      revision: { from: ['/app/status/sync/revision', '/revision'], as: ['short-sha'] },
    },
    time: ['/app/status/reconciledAt', '/reconciledAt'],
    // Argo CD tries again with the same body. Two notifications of one comparison differ in their trigger, two applications in more than their
    // name: whatever is in the body counts. Without a time two bodies may be the same and yet two events.
    id: ['{/app/status/reconciledAt}:{digest:}', '{/reconciledAt}:{digest:}'],
  },
};

export const FLUX: Preset = {
  name: 'flux',
  path: '/webhook/flux',
  receives: 'alerts from Flux',
  sender: 'Flux, providers `generic` and `generic-hmac`',
  source: 'https://fluxcd.io/flux/components/notification/providers/#generic-webhook',
  check: { by: 'signature', header: 'X-Signature', prefix: 'sha256=' },
  shape: asItCame,
  answer: 'counts',
  idSpace: 'flux',
  mapping: {
    labels: {
      source: { const: 'flux' },
      type: '/reason',
      kind: '/involvedObject/kind',
      namespace: '/involvedObject/namespace',
      name: '/involvedObject/name',
      severity: { from: '/severity', allow: ['info', 'error', 'trace'] },
      revision: {
        from: [
          '/metadata/revision',
          '/metadata/kustomize.toolkit.fluxcd.io~1revision',
          '/metadata/helm.toolkit.fluxcd.io~1revision',
          '/metadata/source.toolkit.fluxcd.io~1revision',
        ],
        as: ['short-sha'],
      },
    },
    time: { from: '/timestamp', unit: 'rfc3339' },
    // Flux tries again with the same body. Several events of one object may come in one second, and two clusters have objects of one name:
    // whatever is in the body counts.
    id: '{/timestamp}:{digest:}',
  },
};
