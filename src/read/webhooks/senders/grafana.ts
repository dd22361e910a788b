import type { MappingSource } from '../language.ts';
import { annotation } from '../shapes/annotation.ts';
import type { Preset } from './sender.ts';

const BEARER = { by: 'token', header: 'Authorization', prefix: 'Bearer ' } as const;
const IDEMPOTENCY_KEY = '{header:Idempotency-Key}';
/** A text may be long, and different each time; its first line tells most of it. */
const TEXT_CHARACTERS_MAX = 80;

const ANNOTATION: MappingSource = {
  labels: {
    type: { const: 'annotation' },
    text: { from: '/text', as: ['first-line', 'trim'], max: TEXT_CHARACTERS_MAX },
    tags: '/tags',
  },
  labelsFrom: { from: '/labels', prefix: 'tag_' },
  id: IDEMPOTENCY_KEY,
  // Flux sends its annotations here with the time of Graphite's. Both come in seconds and in milliseconds, whatever is documented.
  time: ['/time', '/when'],
};

/** Grafana's API of annotations, so that what sends them there can send them here. */
export const GRAFANA: Preset = {
  name: 'grafana',
  path: '/api/annotations',
  receives: 'annotations, as Grafana does',
  sender: 'anything that creates Grafana annotations, such as Argo CD and Flux',
  source: 'https://grafana.com/docs/grafana/latest/developers/http_api/annotations/',
  check: BEARER,
  shape: annotation,
  shaped:
    'Tags of the form `key:value` become members of `/labels`, with several values of one key joined by commas; all other tags are joined by commas in `/tags`',
  answer: 'annotation',
  idSpace: 'grafana',
  mapping: ANNOTATION,
};

export const GRAPHITE: Preset = {
  ...GRAFANA,
  name: 'graphite',
  path: '/api/annotations/graphite',
  receives: "annotations in Graphite's format, as Grafana does",
  sender: "anything that creates Grafana annotations in Graphite's format",
  answer: 'graphite',
  idSpace: 'graphite',
  mapping: {
    labels: {
      type: { const: 'annotation' },
      text: { from: '/what', as: ['first-line', 'trim'], max: TEXT_CHARACTERS_MAX },
      tags: '/tags',
    },
    labelsFrom: { from: '/labels', prefix: 'tag_' },
    id: IDEMPOTENCY_KEY,
    time: '/when',
  },
};
