import type { LabelSource, MappingSource, ShapeSource } from '../language.ts';
import { asItCame } from '../shapes/shape.ts';
import type { Preset } from './sender.ts';

const REF: LabelSource = { from: '/ref', as: ['ref-name'] };
const CONCLUSIONS = [
  'success',
  'failure',
  'cancelled',
  'skipped',
  'neutral',
  'timed_out',
  'action_required',
  'stale',
  'startup_failure',
];
const STATES = ['success', 'failure', 'error', 'pending', 'in_progress', 'queued', 'inactive', 'waiting'];

/** A kind is named by the header; `type` tells it in its events. */
function kind(
  event: string,
  actions: readonly (string | null)[] | undefined,
  shape: ShapeSource,
): ShapeSource {
  return {
    ...shape,
    when: { 'header:X-GitHub-Event': [event], ...(actions && { '/action': actions }), ...shape.when },
    labels: { type: { const: event }, ...shape.labels },
  };
}

const MAPPING: MappingSource = {
  labels: { source: { const: 'github' }, repository: '/repository/full_name' },
  // The same for each attempt to deliver one event.
  id: '{header:X-GitHub-Delivery}',
  kinds: {
    push: kind('push', undefined, {
      unless: { '/deleted': ['true'] },
      labels: { ref: REF, ref_type: { from: '/ref', as: ['ref-type'] } },
      time: '/repository/pushed_at',
    }),
    release: kind('release', ['published', 'unpublished', 'deleted'], {
      labels: { action: '/action', version: '/release/tag_name', prerelease: '/release/prerelease' },
      // Nothing tells when it was withdrawn.
      time: { from: '/release/published_at', when: { '/action': ['published'] } },
    }),
    deployment: kind('deployment', ['created', null], {
      labels: {
        environment: '/deployment/environment',
        ref: { from: '/deployment/ref', as: ['ref-name', 'short-sha'] },
      },
      time: '/deployment/created_at',
    }),
    deployment_status: kind('deployment_status', undefined, {
      labels: {
        environment: '/deployment/environment',
        ref: { from: '/deployment/ref', as: ['ref-name', 'short-sha'] },
        state: { from: '/deployment_status/state', allow: STATES },
      },
      time: '/deployment_status/created_at',
    }),
    workflow_run: kind('workflow_run', ['completed'], {
      labels: {
        workflow: '/workflow_run/name',
        branch: '/workflow_run/head_branch',
        conclusion: { from: '/workflow_run/conclusion', allow: CONCLUSIONS },
      },
      time: '/workflow_run/updated_at',
    }),
    check_run: kind('check_run', ['completed'], {
      labels: {
        check: '/check_run/name',
        conclusion: { from: '/check_run/conclusion', allow: CONCLUSIONS },
      },
      time: '/check_run/completed_at',
    }),
    pull_request: kind('pull_request', ['opened', 'reopened', 'closed'], {
      labels: { action: '/action', base: '/pull_request/base/ref', merged: '/pull_request/merged' },
      time: '/pull_request/updated_at',
    }),
    issues: kind('issues', ['opened', 'reopened', 'closed'], {
      labels: { action: '/action' },
      time: '/issue/updated_at',
    }),
  },
};

export const GITHUB: Preset = {
  name: 'github',
  path: '/webhook/github',
  receives: 'webhooks from GitHub',
  sender: 'GitHub, repository and organization webhooks',
  source: 'https://docs.github.com/en/webhooks/webhook-events-and-payloads',
  check: { by: 'signature', header: 'X-Hub-Signature-256', prefix: 'sha256=' },
  shape: asItCame,
  answer: 'counts',
  idSpace: 'github',
  mapping: MAPPING,
};
