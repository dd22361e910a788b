import { createHmac } from 'node:crypto';
import type { Headers, Row } from '../row.ts';
import { FORM, GZIP, JSON_TYPE, KIB, MIB, broken, gzipped, nested, send } from '../row.ts';

const SECRET = 'a secret of the tests';
const TOKEN = 'a token of the tests';

/** What the server under test is configured with. */
export const WEBHOOKS = {
  builds: {
    secret: SECRET,
    signature: { header: 'X-Signature', prefix: 'sha256=' },
    when: { '/state': ['finished'] },
    labels: { job_name: '/job/name', proto: '/__proto__/x', made: 'header:constructor' },
    value: '/seconds',
    time: { from: '/finished', unit: 'ms' },
    id: '{/number}',
  },
  batches: { each: '/items', labels: { name: '/name' }, labelsFrom: { from: '/tags', prefix: 'tag_' } },
  'gitlab-acme': { preset: 'gitlab', secret: TOKEN },
  'github-acme': { preset: 'github', secret: SECRET },
};

const hook = (
  name: string,
  path: string,
  body: () => string | Buffer,
  rest: Omit<Row, 'name' | 'bytes'>,
  headers: Headers = {},
): Row => ({ name: `${path}: ${name}`, bytes: () => send(path, JSON_TYPE, body(), headers), ...rest });

const PUSH: Headers = { 'X-GitHub-Event': 'push' };

/** Each door, with the headers that its sender always sends. */
const DOORS: readonly (readonly [path: string, headers: Headers])[] = [
  ['/api/v2/alerts', {}],
  ['/webhook/alertmanager', {}],
  ['/webhook/github', PUSH],
  ['/webhook/gitlab', {}],
  ['/webhook/argocd', {}],
  ['/webhook/flux', {}],
  ['/api/annotations', {}],
  ['/api/annotations/graphite', {}],
  ['/webhook/batches', {}],
];

/** What none of them takes. */
const NOWHERE: readonly (readonly [name: string, body: () => string | Buffer])[] = [
  ['nothing', () => ''],
  ['JSON that is cut', () => '{"a":'],
  ['a million brackets', () => '['.repeat(MIB)],
  ['something 513 deep', () => nested(513)],
  ['a form', () => 'payload=%7B%7D'],
];

/** What stands where nobody looks, and refuses no body. */
const UNREAD: readonly (readonly [name: string, body: () => string | Buffer])[] = [
  ['bytes that are no UTF-8', () => broken('{"unread":"', [0xff], '"}')],
  ['a name twice', () => '{"unread":1,"unread":2}'],
  ['something 60 deep', () => `{"unread":${nested(60)}}`],
  ['a number beyond a float64', () => '{"unread":1e999}'],
];

const everywhere = DOORS.flatMap(([path, headers]) => [
  ...NOWHERE.map(([name, body]) => hook(name, path, body, { status: 400, field: 'body' }, headers)),
  hook(
    'a byte more than webhook.bodyMax',
    path,
    () => `"${'x'.repeat(25 * MIB - 1)}"`,
    { status: 413, field: 'body' },
    headers,
  ),
  {
    name: `${path}: a form that says so`,
    bytes: () => send(path, FORM, 'payload=%7B%7D', headers),
    status: 415,
    field: 'Content-Type',
  } satisfies Row,
]);

const unread = UNREAD.flatMap(([name, body]) => [
  hook(`${name}, where nobody looks`, '/webhook/github', body, { status: 200, stored: 1 }, PUSH),
  hook(
    `${name}, where nobody looks`,
    '/webhook/alertmanager',
    () => Buffer.concat([Buffer.from('{"alerts":[],"x":'), Buffer.from(body()), Buffer.from('}')]),
    { status: 200 },
  ),
]);

const ALERT = {
  status: 'firing',
  labels: { alertname: 'a' },
  startsAt: '2026-11-24T11:50:00Z',
  fingerprint: 'f',
};
const alerts = (...all: unknown[]) => JSON.stringify({ version: '4', alerts: all });

const OF_SENDERS: readonly Row[] = [
  hook('an object', '/api/v2/alerts', () => '{}', { status: 400, field: 'body' }),
  hook('an alert that is null', '/api/v2/alerts', () => '[null]', { status: 200 }),
  hook('an alert without labels', '/api/v2/alerts', () => '[{}]', { status: 200 }),
  hook('labels that are __proto__', '/api/v2/alerts', () => '[{"__proto__":{"labels":{"a":"b"}}}]', {
    status: 200,
  }),
  hook('a label that is a number', '/api/v2/alerts', () => '[{"labels":{"a":1}}]', {
    status: 200,
    stored: 1,
  }),
  hook('a beginning that is no time', '/api/v2/alerts', () => '[{"labels":{"a":"b"},"startsAt":"x"}]', {
    status: 200,
    stored: 1,
  }),
  hook('alerts without an end', '/api/v2/alerts', () => `[${'1,'.repeat(MIB / 2 - 2)}1]`, {
    status: 413,
    field: 'body',
  }),
  hook('no alerts', '/webhook/alertmanager', () => '{}', { status: 400, field: 'body' }),
  hook('alerts that are an object', '/webhook/alertmanager', () => '{"alerts":{"length":3}}', {
    status: 400,
    field: 'body',
  }),
  hook('labels that are an array', '/webhook/alertmanager', () => alerts({ ...ALERT, labels: ['a'] }), {
    status: 200,
    stored: 1,
  }),
  hook(
    'a label that is an object',
    '/webhook/alertmanager',
    () => alerts({ ...ALERT, fingerprint: 'h', labels: { a: {} } }),
    {
      status: 200,
      stored: 1,
    },
  ),
  hook(
    '65 labels',
    '/webhook/alertmanager',
    () =>
      alerts({
        ...ALERT,
        fingerprint: 'i',
        labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, 'x'])),
      }),
    { status: 200, stored: 1 },
  ),
  hook(
    'a wrong one beside a right one, which is stored',
    '/webhook/alertmanager',
    () => alerts({ ...ALERT, fingerprint: 'g' }, { ...ALERT, fingerprint: 'j', labels: 1 }),
    { status: 200, stored: 2 },
  ),
  hook('a status of no kind', '/webhook/alertmanager', () => alerts({ ...ALERT, status: '__proto__' }), {
    status: 200,
  }),
  hook(
    'alerts of no kind, more than a batch may have',
    '/webhook/alertmanager',
    () => `{"alerts":[${'1,'.repeat(100_000)}1]}`,
    { status: 413, field: 'body' },
  ),
  hook(
    'a repository that is no text',
    '/webhook/github',
    () => '{"ref":"refs/heads/x","repository":{"full_name":{}}}',
    { status: 200, stored: 1 },
    PUSH,
  ),
  hook(
    'an event of no kind',
    '/webhook/github',
    () => '{}',
    { status: 200 },
    { 'X-GitHub-Event': '__proto__' },
  ),
  hook('no name of an event', '/webhook/github', () => '{"repository":{"full_name":"a/b"}}', { status: 200 }),
  hook(
    'an array, which is a push of which nothing is known',
    '/webhook/github',
    () => '[]',
    { status: 200, stored: 1, series: 'events_to_metrics{source="github",type="push"}' },
    PUSH,
  ),
  hook(
    'a delivery without an end, which its fingerprint stands for',
    '/webhook/github',
    () => '{"ref":"refs/heads/a","repository":{"full_name":"a/b"}}',
    { status: 200, stored: 1 },
    { ...PUSH, 'X-GitHub-Delivery': 'd'.repeat(20 * KIB) },
  ),
  hook('a kind that is __proto__', '/webhook/gitlab', () => '{"object_kind":"__proto__"}', { status: 200 }),
  hook('a kind that is an object', '/webhook/gitlab', () => '{"object_kind":{}}', { status: 200 }),
  hook('an app that is an array, which is no name', '/webhook/argocd', () => '{"app":[]}', {
    status: 200,
    stored: 1,
    series: 'events_to_metrics{source="argocd",type="sync"}',
  }),
  hook(
    'a time that is none',
    '/webhook/flux',
    () => '{"reason":"x","timestamp":"never","involvedObject":{"kind":"a","name":"b","namespace":"c"}}',
    { status: 200, stored: 1 },
  ),
  hook('an array', '/api/annotations', () => '[]', { status: 400, field: 'body' }),
  hook('null', '/api/annotations', () => 'null', { status: 400, field: 'body' }),
  hook('tags that are an object', '/api/annotations', () => '{"tags":{}}', { status: 200, stored: 1 }),
  hook(
    '65 tags',
    '/api/annotations',
    () => JSON.stringify({ tags: Array.from({ length: 65 }, (_, i) => `t${i}:x`) }),
    { status: 200, stored: 1 },
  ),
  hook('half a million tags', '/api/annotations', () => `{"tags":"${' '.repeat(MIB / 2)}"}`, {
    status: 200,
    stored: 1,
  }),
  hook('a tag twice', '/api/annotations', () => '{"tags":["a:1","a:2"]}', { status: 200, stored: 1 }),
  hook('a tag that is __proto__', '/api/annotations', () => '{"text":"x","tags":["__proto__:1"]}', {
    status: 200,
    stored: 1,
  }),
  hook('a time that is a text', '/api/annotations', () => '{"text":"x","time":"now"}', {
    status: 200,
    stored: 1,
  }),
  hook('a time beyond all years', '/api/annotations', () => '{"text":"x","time":999999999999999}', {
    status: 200,
    stored: 1,
  }),
  hook('a time that is an array', '/api/annotations', () => '{"text":"x","time":[]}', {
    status: 200,
    stored: 1,
  }),
  hook('a text of half a character', '/api/annotations', () => '{"text":"\\ud800"}', {
    status: 200,
    stored: 1,
  }),
  hook('when that is no time', '/api/annotations/graphite', () => '{"what":"x","when":"now"}', {
    status: 200,
    stored: 1,
  }),
  hook('items that are no array', '/webhook/batches', () => '{"items":{"0":{}}}', {
    status: 400,
    field: 'body',
  }),
  hook('items by __proto__', '/webhook/batches', () => '{"__proto__":{"items":[{}]}}', {
    status: 400,
    field: 'body',
  }),
  hook(
    'one of a batch whose tags are a text',
    '/webhook/batches',
    () => '{"items":[{"name":"a"},{"tags":"x"}]}',
    { status: 200, stored: 2 },
  ),
  hook(
    'two names that become one label',
    '/webhook/batches',
    () => '{"items":[{"tags":{"a-b":"1","a.b":"2"}}]}',
    { status: 200, stored: 1 },
  ),
];

const FINISHED = '{"state":"finished","job":{"name":"j"},"number":1,"seconds":2,"finished":1795521570123}';
const signed = (body: string | Buffer, secret = SECRET) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

const denied = (name: string, headers: Headers, body: string | Buffer = FINISHED): Row =>
  hook(name, '/webhook/builds', () => body, { status: 401, field: 'X-Signature' }, headers);

const withSignature = (
  name: string,
  body: string,
  rest: Omit<Row, 'name' | 'bytes'>,
  headers: Headers = {},
): Row => hook(name, '/webhook/builds', () => body, rest, { 'X-Signature': signed(body), ...headers });

const WITH_SECRET: readonly Row[] = [
  denied('no signature', {}),
  denied('an empty signature', { 'X-Signature': '' }),
  denied('a prefix and no more', { 'X-Signature': 'sha256=' }),
  denied('the signature of another body', { 'X-Signature': signed('{}') }),
  denied('a signature with another secret', { 'X-Signature': signed(FINISHED, 'another') }),
  denied('a signature without its prefix', { 'X-Signature': signed(FINISHED).slice(7) }),
  denied('a signature that is cut', { 'X-Signature': signed(FINISHED).slice(0, -1) }),
  denied('a signature in capitals', { 'X-Signature': signed(FINISHED).toUpperCase() }),
  denied('two signatures of others', { 'X-Signature': `${signed('{}')},${signed(FINISHED, 'another')}` }),
  denied('the right one, behind more than are looked at', {
    'X-Signature': `${'sha256=0,'.repeat(16)}${signed(FINISHED)}`,
  }),
  denied('the secret itself', { 'X-Signature': SECRET }),
  denied('a signature of 20 KiB', { 'X-Signature': 'f'.repeat(20 * KIB) }),
  denied('a form, and no signature', {}, 'payload=x'),
  denied('JSON that is cut, and no signature', {}, '{'),
  denied(
    'a signature over the body as it was compressed',
    { 'X-Signature': signed(gzipped(FINISHED)), ...GZIP },
    gzipped(FINISHED),
  ),
  withSignature('JSON that is cut, and signed', '{', { status: 400, field: 'body' }),
  withSignature('a value that is none, and signed', FINISHED.replace('"seconds":2', '"seconds":"x"'), {
    status: 200,
  }),
  withSignature('a time that is none, and signed', FINISHED.replace('1795521570123', '"x"'), {
    status: 200,
    stored: 1,
  }),
  withSignature('another state, and signed', '{"state":"__proto__"}', { status: 200 }),
  withSignature(
    'members that every object has, and signed',
    '{"state":"finished","__proto__":{"x":"y"},"number":7}',
    { status: 200, stored: 1 },
  ),
  withSignature('a state and no more: what every object has is no label', '{"state":"finished","number":8}', {
    status: 200,
    stored: 1,
    series: 'events_to_metrics',
  }),
  hook('no token', '/webhook/gitlab-acme', () => '{}', { status: 401, field: 'X-Gitlab-Token' }),
  hook(
    'a wrong token',
    '/webhook/gitlab-acme',
    () => '{}',
    { status: 401, field: 'X-Gitlab-Token' },
    { 'X-Gitlab-Token': `${TOKEN}x` },
  ),
  hook(
    'a token in another case',
    '/webhook/gitlab-acme',
    () => '{}',
    { status: 401, field: 'X-Gitlab-Token' },
    { 'X-Gitlab-Token': TOKEN.toUpperCase() },
  ),
  hook(
    'no signature',
    '/webhook/github-acme',
    () => '{}',
    { status: 401, field: 'X-Hub-Signature-256' },
    PUSH,
  ),
  hook(
    'a signature of the old kind',
    '/webhook/github-acme',
    () => '{}',
    { status: 401, field: 'X-Hub-Signature-256' },
    { ...PUSH, 'X-Hub-Signature': 'sha1=0' },
  ),
];

/** Webhooks, ready-made and configured, with a secret and without. */
export const WEBHOOK_ROWS: readonly Row[] = [...everywhere, ...unread, ...OF_SENDERS, ...WITH_SECRET];
