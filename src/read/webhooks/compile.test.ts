import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../core/errors.ts';
import type { NameRules } from './compile.ts';
import { compileMapping } from './compile.ts';

const RULES: NameRules = {
  names: 'legacy',
  limits: {
    labelsMax: 64,
    labelNameBytesMax: 64,
    labelValueBytesMax: 4096,
    seriesBytesMax: 8192,
    idBytesMax: 64,
  },
  reserved: (metric) => metric.startsWith('oneshot_'),
};

function fault(raw: unknown): { field: string; message: string } {
  try {
    compileMapping('webhooks.w', raw, RULES);
  } catch (error) {
    if (error instanceof RefusedError) return { field: error.field, message: error.message };
    throw error;
  }
  throw new Error('it was taken');
}

describe('a written mapping', () => {
  it('is taken with everything that the language has', () => {
    const mapping = compileMapping(
      'webhooks.w',
      {
        each: '/items',
        when: { '/state': ['done', null] },
        unless: { 'header:X-Test': ['true'] },
        metric: 'deploys',
        labels: {
          env: {
            from: ['/env', 'document:/env'],
            as: ['lower', 'trim'],
            allow: ['prod'],
            default: 'none',
            max: 10,
          },
          service: '/service',
          team: { const: 'shop' },
        },
        labelsFrom: { from: '/tags', prefix: 'tag_' },
        value: '/seconds',
        time: [{ from: '/at', unit: 'ms' }, '/created'],
        id: ['{/id}', '{/env}:{/n}'],
        drop: ['noise'],
        kinds: {
          a: { when: { '/kind': ['a'] } },
          b: { value: { const: 0 }, labels: { kind: { const: 'b' } } },
        },
      },
      RULES,
    );
    expect(mapping.each).toEqual(['items']);
    expect(mapping.kinds.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(mapping.kinds.map(({ when }) => when.length)).toEqual([2, 1]);
    expect(mapping.kinds.map(({ labels }) => labels.map(({ name }) => name))).toEqual([
      ['env', 'service', 'team'],
      ['env', 'service', 'team', 'kind'],
    ]);
    expect(mapping.kinds[1]?.value).toBe(0);
  });

  it.each([
    [[], 'webhooks.w must be an object, not []'],
    [{ lables: {} }, 'webhooks.w has an unknown member "lables"; it can have when, unless, metric, labels,'],
    [
      { labels: { env: 'env' } },
      'webhooks.w.labels.env "env" is not a reference; write a JSON pointer such as /a/b',
    ],
    [{ labels: { env: '/a~' } }, 'webhooks.w.labels.env "/a~" is not a JSON pointer'],
    [{ labels: { env: 'header:' } }, 'webhooks.w.labels.env "header:" is not a valid header name'],
    [{ labels: { env: 'header:a b' } }, 'webhooks.w.labels.env "header:a b" is not a valid header name'],
    [{ labels: { env: 1 } }, 'webhooks.w.labels.env must be a reference or an object, not 1'],
    [{ labels: { env: {} } }, 'webhooks.w.labels.env.from must be a list of 1 to 8 items, not nothing'],
    [{ labels: { env: { from: [] } } }, 'webhooks.w.labels.env.from must be a list of 1 to 8 items, not []'],
    [
      { labels: { env: { from: '' } } },
      'webhooks.w.labels.env.from must be a string of 1 to 1024 characters, not ""',
    ],
    [
      { labels: { env: { form: '/a' } } },
      'webhooks.w.labels.env has an unknown member "form"; it can have from, as, allow, default, max',
    ],
    [
      { labels: { env: { from: '/a', as: ['upper'] } } },
      'webhooks.w.labels.env.as must be one of lower, trim, first-line',
    ],
    [
      { labels: { env: { from: '/a', as: ['constructor'] } } },
      'webhooks.w.labels.env.as must be one of lower',
    ],
    [
      { labels: { env: { from: '/a', allow: [] } } },
      'webhooks.w.labels.env.allow must be a list of 1 to 1000 items, not []',
    ],
    [
      { labels: { env: { from: '/a', allow: 'prod' } } },
      'webhooks.w.labels.env.allow must be a list of 1 to 1000 items, not "prod"',
    ],
    [
      { labels: { env: { from: '/a', max: 0 } } },
      'webhooks.w.labels.env.max must be a whole number from 1 to 4096, not 0',
    ],
    [
      { labels: { env: { from: '/a', default: 3 } } },
      'webhooks.w.labels.env.default must be a string of 1 to 1024 characters, not 3',
    ],
    [{ labels: { env: { const: '' } } }, 'webhooks.w.labels.env.const must be a string'],
    [
      { labels: { env: { const: 'a', from: '/a' } } },
      'webhooks.w.labels.env has an unknown member; it can have const',
    ],
    [{ labels: { 'my-env': '/a' } }, 'webhooks.w.labels.my-env: label name "my-env" is not valid'],
    [{ labels: { __name__: '/a' } }, 'webhooks.w.labels.__name__: label name "__name__" is not valid'],
    [
      { labels: Object.fromEntries([...Array(65).keys()].map((n) => [`l${n}`, '/a'])) },
      'webhooks.w.labels may have at most 64',
    ],
    [{ labelsFrom: '/a' }, 'webhooks.w.labelsFrom must be an object, not "/a"'],
    [{ labelsFrom: { from: '/a' } }, 'webhooks.w.labelsFrom.prefix must be a string'],
    [
      { labelsFrom: { from: '/a', prefix: 'a-' } },
      'webhooks.w.labelsFrom.prefix: label name "a-" is not valid',
    ],
    [{ metric: 'a-b' }, 'webhooks.w.metric "a-b" is not a valid metric name'],
    [{ metric: 'up' }, 'webhooks.w.metric "up" is a metric that Prometheus itself adds'],
    [{ metric: 'oneshot_x' }, 'webhooks.w.metric "oneshot_x" is one of this server\'s own metrics'],
    [{ value: 3 }, 'webhooks.w.value must be an object, not 3'],
    [{ value: { const: '3' } }, 'webhooks.w.value.const must be a number, not "3"'],
    [
      { time: { from: '/at', unit: 'h' } },
      'webhooks.w.time.unit must be one of rfc3339, s, ms, auto, not "h"',
    ],
    [
      { time: { from: '/at', zone: 'Berlin' } },
      'webhooks.w.time.zone must be utc, or an offset such as +02:00, not "Berlin"',
    ],
    [{ time: { from: '/at', zone: '+25:00' } }, 'webhooks.w.time.zone must be utc, or an offset'],
    [{ time: { from: '/at', when: ['/a'] } }, 'webhooks.w.time.when must be an object of conditions'],
    [
      { each: '/items', id: '{header:X-Id}' },
      'webhooks.w.id "{header:X-Id}" is the same for every item of each, so all but the first would be duplicates',
    ],
    [
      { each: '/items', id: ['{/id}', '{document:/id}-x'] },
      'webhooks.w.id "{document:/id}-x" is the same for every item of each',
    ],
    [
      { each: '/items', kinds: { a: { id: '{header:X-Id}' } } },
      'webhooks.w.kinds.a.id "{header:X-Id}" is the same for every item of each',
    ],
    [{ time: [] }, 'webhooks.w.time must be a list of 1 to 8 items, not []'],
    [{ id: 'x' }, 'webhooks.w.id "x" has no reference, so all events would have the same id'],
    [{ id: '{/id' }, 'webhooks.w.id "{/id" has an unmatched brace'],
    [{ id: '{id}' }, 'webhooks.w.id "id" is not a reference'],
    [{ when: { '/a': 'b' } }, 'webhooks.w.when./a must be a list of 1 to 1000 items, not "b"'],
    [{ when: { a: ['b'] } }, 'webhooks.w.when.a "a" is not a reference'],
    [{ unless: ['/a'] }, 'webhooks.w.unless must be an object of conditions, not ["/a"]'],
    [{ each: 'items' }, 'webhooks.w.each "items" is not a JSON pointer'],
    [{ kinds: {} }, 'webhooks.w.kinds must be an object of 1 to 64 kinds, not {}'],
    [{ kinds: { a: { each: '/x' } } }, 'webhooks.w.kinds.a has an unknown member'],
    [{ kinds: { a: { labels: { b: 'c' } } } }, 'webhooks.w.kinds.a.labels.b "c" is not a reference'],
    [{ drop: [1] }, 'webhooks.w.drop must be a string'],
  ])('is refused when it is %j', (raw, message) => {
    const { field, message: said } = fault(raw);
    expect(said).toContain(message);
    expect(field).toMatch(/^webhooks\.w/);
    expect(said).not.toContain('\n');
  });
});
