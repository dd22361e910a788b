import type { Conditions, LabelSource, MappingSource, ShapeSource } from '../language.ts';
import { asItCame } from '../shapes/shape.ts';
import type { Preset } from './sender.ts';

/** Those that a pipeline, a job or a deployment does not leave by itself. */
const FINAL = ['success', 'failed', 'canceled'];
const REF: LabelSource = { from: '/ref', as: ['ref-name'] };

/** A push that deletes a branch or a tag leads to this commit. */
const DELETED: Conditions = { '/after': ['0'.repeat(40), '0'.repeat(64)] };

/** A kind is named in the body; `type` tells it in its events. */
function kind(objectKind: string, type: string, shape: ShapeSource): ShapeSource {
  return {
    ...shape,
    when: { '/object_kind': [objectKind], ...shape.when },
    labels: { type: { const: type }, ...shape.labels },
  };
}

const MAPPING: MappingSource = {
  labels: { source: { const: 'gitlab' }, project: '/project/path_with_namespace' },
  // The first is the same for each attempt to deliver one event. Releases before 17.4 have the second only, which all have in common that one
  // request led to: a push of two branches, a pipeline and its jobs. What was sent again is the same to the letter.
  id: ['{header:Idempotency-Key}', '{header:X-Gitlab-Event-UUID}:{digest:}'],
  kinds: {
    push: kind('push', 'push', { unless: DELETED, labels: { ref: REF } }),
    tag_push: kind('tag_push', 'tag_push', { unless: DELETED, labels: { ref: REF } }),
    release: kind('release', 'release', {
      labels: { action: '/action', version: '/tag' },
      // It may be published for another day than that on which it is made, and nothing tells when it was changed.
      time: ['/created_at', '/released_at'].map((from) => ({ from, when: { '/action': ['create'] } })),
    }),
    deployment: kind('deployment', 'deployment', {
      labels: {
        environment: '/environment',
        tier: '/environment_tier',
        status: { from: '/status', allow: ['running', ...FINAL] },
      },
      time: '/status_changed_at',
    }),
    pipeline: kind('pipeline', 'pipeline', {
      when: { '/object_attributes/status': FINAL },
      labels: {
        ref: '/object_attributes/ref',
        status: '/object_attributes/status',
        trigger: '/object_attributes/source',
      },
      time: '/object_attributes/finished_at',
    }),
    job: kind('build', 'job', {
      when: { '/build_status': FINAL },
      labels: { job_name: '/build_name', stage: '/build_stage', ref: REF, status: '/build_status' },
      time: '/build_finished_at',
    }),
    merge_request: kind('merge_request', 'merge_request', {
      when: { '/object_attributes/action': ['open', 'reopen', 'close', 'merge'] },
      labels: { action: '/object_attributes/action', base: '/object_attributes/target_branch' },
      time: '/object_attributes/updated_at',
    }),
  },
};

export const GITLAB: Preset = {
  name: 'gitlab',
  path: '/webhook/gitlab',
  receives: 'webhooks from GitLab',
  sender: 'GitLab, project and group webhooks',
  source: 'https://docs.gitlab.com/user/project/integrations/webhook_events/',
  check: { by: 'token', header: 'X-Gitlab-Token', prefix: '' },
  shape: asItCame,
  answer: 'counts',
  idSpace: 'gitlab',
  mapping: MAPPING,
};
