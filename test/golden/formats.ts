import type { Entry } from '../../src/core/entry.ts';
import { millis } from '../../src/core/millis.ts';
import type { Family, FamilySample } from '../../src/render/families.ts';
import { NOON, end, event, inLog } from './entries.ts';

/** What the golden files of the formats beyond text show. */
export interface Case {
  readonly timed: boolean;
  readonly escaping: 'allow-utf-8' | 'underscores' | 'dots' | 'values';
  readonly entries: readonly Entry[];
  readonly families: readonly Family[];
}

const sample = (name: string, value: number, labels: Readonly<Record<string, string>> = {}): FamilySample => ({
  name,
  labels: Object.entries(labels).map(([label, text]) => ({ name: label, value: text })),
  value,
});

/** One family of the server's own of each kind, with what is special about some. */
export const OWN: readonly Family[] = [
  {
    name: 'own_requests_total',
    help: 'with "quotes", a \\ and\na newline',
    type: 'counter',
    samples: [
      { ...sample('own_requests_total', 3, { code: '200' }), createdAt: millis(1_700_000_000_123) },
      sample('own_requests_total', 1, { code: '400' }),
    ],
  },
  { name: 'own_event_count', help: 'a counter without _total', type: 'counter', samples: [sample('own_event_count', 7)] },
  { name: 'deploys_total', help: 'would be named as events are', type: 'counter', samples: [sample('deploys_total', 1)] },
  { name: 'own_size_bytes', help: '', type: 'gauge', samples: [sample('own_size_bytes', Number.NaN)] },
  {
    name: 'own_gc_seconds',
    help: 'a histogram',
    type: 'histogram',
    samples: ['minor', 'major'].flatMap((kind) => [
      sample('own_gc_seconds_bucket', 1, { le: '0.5', kind }),
      sample('own_gc_seconds_bucket', 2, { le: '1', kind }),
      sample('own_gc_seconds_bucket', 3, { le: '+Inf', kind }),
      sample('own_gc_seconds_sum', 2.5, { kind }),
      sample('own_gc_seconds_count', 3, { kind }),
    ]),
  },
  {
    name: 'own_wait_seconds',
    help: 'a summary',
    type: 'summary',
    samples: [
      sample('own_wait_seconds', 0.25, { quantile: '0.5' }),
      sample('own_wait_seconds', 1.5, { quantile: '1' }),
      sample('own_wait_seconds_sum', 4.5),
      sample('own_wait_seconds_count', 3),
    ],
  },
];

const UTF8 = inLog(
  event('deploys.done', { 'k8s.cluster': 'a', env: 'prod' }),
  event('deploys_done', { env: 'prod' }),
  event('deploys.done', {}, 2),
  event('deploys', { a_b: '1', 'a.b': '2', 'a b': '3' }),
  event('deploys', { 'q"uote': 'x', 'back\\slash': 'y', 'new\nline': 'z' }),
  event('部署', { 環境: '本番' }),
);

const of = (entries: readonly Entry[], timed = false, escaping: Case['escaping'] = 'underscores'): Case => ({
  timed,
  escaping,
  entries,
  families: [],
});

/** The facts' own example is a test of its own: `protobuf.test.ts`. */
export const CASES: Readonly<Record<string, Case>> = {
  'nothing': of([]),
  'one-event': of(inLog(event('deploys', { env: 'prod' }))),
  'families-stand-together': of(
    inLog(event('deploys', { env: 'prod' }), event('backups_total', {}, 2), event('deploys', { env: 'test' }, -0)),
  ),
  'values': of(
    inLog(
      ...[0.1, 1e21, 5e-324, -0, Number.NaN, Infinity, -Infinity].map((value, n) => event('values', { n: String(n) }, value)),
    ),
  ),
  'hostile-values': of(
    inLog(
      ...['"', 'ends in \\', 'two\nlines', 'CR LF\r\n', 'NUL \0', '# EOF\n', '漢字 🚀', '{a="b"} 1'].map((text) =>
        event('notes', { text }),
      ),
    ),
  ),
  'timed-ends': of(
    inLog(
      event('deploys', { env: 'prod' }, 1, NOON + 1),
      event('deploys', { env: 'prod' }, 2, NOON + 20_000),
      event('backups', {}, Number.NaN, NOON + 999),
      end('deploys', { env: 'prod' }, NOON + 15_001),
      end('deploys', { env: 'prod' }, NOON + 35_000),
      end('backups', {}, NOON + 15_999),
    ),
    true,
  ),
  'own-families': { ...of(inLog(event('deploys'))), families: OWN },
  'own-families-dots': { ...of(inLog(event('deploys')), false, 'dots'), families: OWN },
  'utf8-names': of(UTF8, false, 'allow-utf-8'),
  'utf8-names-underscores': of(UTF8, true, 'underscores'),
  'utf8-names-dots': of(UTF8, false, 'dots'),
  'utf8-names-values': of(UTF8, true, 'values'),
};
