import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { millis } from '../../src/core/millis.ts';
import { fingerprintOf } from '../../src/read/webhooks/shapes/fingerprint.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

type Sent = { headers?: Record<string, string>; body?: unknown; text?: string };

function post(server: RunningServer, path: string, { headers = {}, body, text }: Sent = {}) {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: text ?? JSON.stringify(body),
  });
}

/** The events that a look at /metrics shows, without taking them. */
async function events(server: RunningServer): Promise<string[]> {
  const body = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  return body.split('\n').filter((line) => /^(?:events_to_metrics|deploys)[{ ]/.test(line));
}

async function refused(answer: Response, status: number): Promise<{ error: string; field?: string }> {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return (await answer.json()) as { error: string; field?: string };
}

const sign = (secret: string, text: string) =>
  `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;

const HOUR = 3_600_000;

const PUSH = { ref: 'refs/heads/main', deleted: false, repository: { full_name: 'acme/shop' } };
const PUSHED =
  'events_to_metrics{ref="main",ref_type="branch",repository="acme/shop",source="github",type="push"} 1';

it('an alert with more labels than an event may have is taken without the last, which are counted', async () => {
  await using server = await startServer();
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`l${i}`, 'x'.repeat(2_000)]));
  const startsAt = new Date().toISOString();
  const answer = await post(server, '/api/v2/alerts', {
    body: [{ labels: { alertname: 'Many', ...many }, startsAt }],
  });
  expect(answer.status).toBe(200);
  const [event = ''] = await events(server);
  // Eight of 1,023 bytes are too long for a series of 8 KiB.
  expect([...event.matchAll(/[{,][a-z0-9_]+="/g)].length).toBeLessThanOrEqual(20);
  expect(event).toContain('alertname="Many"');
  const text = await (await fetch(`${server.url}/metrics?peek=true`)).text();
  expect(text).toMatch(/^events_to_metrics_webhook_left_out_total\{part="label"\} [1-9]/m);
});

describe('a webhook without a secret', () => {
  it('stores what it knows, and answers once it is stored', async () => {
    await using server = await startServer();
    const answer = await post(server, '/webhook/github', {
      headers: { 'X-GitHub-Event': 'push' },
      body: PUSH,
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ accepted: 1 });
    expect(await events(server)).toEqual([PUSHED]);
  });

  it('answers a ping, and whatever else it has no use for, with 200', async () => {
    await using server = await startServer();
    const answer = await post(server, '/webhook/github', { headers: { 'X-GitHub-Event': 'ping' }, body: {} });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ accepted: 0, ignored: 1 });
    expect(await events(server)).toEqual([]);
  });

  it('takes JSON under any content type, or none, but no form', async () => {
    await using server = await startServer();
    const text = JSON.stringify({ app: 'shop' });
    for (const type of ['text/plain', 'application/vnd.argo+json; charset=utf-8']) {
      const answer = await post(server, '/webhook/argocd', { headers: { 'Content-Type': type }, text });
      expect(answer.status, type).toBe(200);
    }
    const untyped = await fetch(`${server.url}/webhook/argocd`, {
      method: 'POST',
      body: new TextEncoder().encode(text),
    });
    expect(untyped.status).toBe(200);
    const form = await post(server, '/webhook/github', {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-GitHub-Event': 'push' },
      text: `payload=${encodeURIComponent(JSON.stringify(PUSH))}`,
    });
    expect(await refused(form, 415)).toEqual({
      field: 'Content-Type',
      error: 'a webhook accepts only JSON, not a form; set the content type to application/json',
    });
  });

  it.each([
    '',
    '{',
    '\u0000',
    '{"a":01}',
    '{"a":"\t"}',
    '{"a":1,}',
    '{"a":"\\x"}',
    '[1 2]',
    '{"a" 1}',
    '{} x',
  ])('stores nothing of %j, which is no JSON', async (text) => {
    await using server = await startServer();
    const answer = await post(server, '/webhook/github', { headers: { 'X-GitHub-Event': 'push' }, text });
    expect((await refused(answer, 400)).field).toBe('body');
    expect(await events(server)).toEqual([]);
  });

  it.each(['null', '[]', '"x"', '{"repository":{"full_name":{}}}'])(
    'takes %j for a push of which nothing is known',
    async (text) => {
      await using server = await startServer();
      const answer = await post(server, '/webhook/github', { headers: { 'X-GitHub-Event': 'push' }, text });
      expect(answer.status).toBe(200);
      expect(await events(server)).toEqual(['events_to_metrics{source="github",type="push"} 1']);
    },
  );

  it('refuses a body beyond webhook.bodyMax, and text that is read and not UTF-8', async () => {
    await using server = await startServer({ 'webhook.bodyMax': 100, 'event.bodyMax': 50 });
    expect((await post(server, '/webhook/flux', { text: `${' '.repeat(98)}{}` })).status).toBe(200);
    const long = await refused(await post(server, '/webhook/flux', { text: ' '.repeat(101) }), 413);
    expect(long.error).toContain('webhook.bodyMax');
    const zipped = await fetch(`${server.url}/webhook/flux`, {
      method: 'POST',
      headers: { 'Content-Encoding': 'gzip' },
      body: gzipSync(`${' '.repeat(99)}{}`),
    });
    await refused(zipped, 413);
    const latin1 = await fetch(`${server.url}/webhook/flux`, {
      method: 'POST',
      body: new Uint8Array([0x22, 0xfc, 0x22]),
    });
    expect((await refused(latin1, 400)).error).toContain('not valid UTF-8');
  });
});

describe('a webhook with a secret', () => {
  const settings = {
    webhooks: {
      github: { secret: 'hunter2' },
      gitlab: { secret: 'hunter2' },
      deploys: {
        metric: 'deploys',
        labels: { env: { from: '/env', allow: ['prod'] } },
        secret: 'hunter2',
        signature: 'X-Signature',
      },
    },
  };
  const text = JSON.stringify(PUSH);
  const github = (signature?: string, body = text) => ({
    headers: {
      'X-GitHub-Event': 'push',
      ...(signature !== undefined && { 'X-Hub-Signature-256': signature }),
    },
    text: body,
  });

  it('takes what is signed with it', async () => {
    await using server = await startServer(settings);
    expect((await post(server, '/webhook/github', github(sign('hunter2', text)))).status).toBe(200);
    expect(await events(server)).toEqual([PUSHED]);
  });

  it.each([
    ['no signature', github()],
    ['an empty one', github('')],
    ['one with another secret', github(sign('hunter3', text))],
    ['one of another body', github(sign('hunter2', text), `${text} `)],
    ['one without its prefix', github(sign('hunter2', text).slice(7))],
    ['one with more behind it', github(`${sign('hunter2', text)}0`)],
    ['one that is cut', github(sign('hunter2', text).slice(0, -1))],
    ['one in upper case', github(sign('hunter2', text).toUpperCase())],
    ['the secret itself', github('sha256=hunter2')],
  ])('answers %s with 401, and stores nothing', async (_what, sent) => {
    await using server = await startServer(settings);
    const { error, field } = await refused(await post(server, '/webhook/github', sent), 401);
    expect(field).toBe('X-Hub-Signature-256');
    expect(error).not.toContain('hunter2');
    expect(server.log.join('')).not.toContain('hunter2');
    expect(await events(server)).toEqual([]);
  });

  it.each([
    ['the new one behind the old one', `${sign('hunter3', text)},${sign('hunter2', text)}`],
    ['the old one behind the new one', `${sign('hunter2', text)}, ${sign('hunter3', text)}`],
    ['others of another kind between', `t=1 v0=abc ${sign('hunter2', text)}`],
    ['in upper case', sign('hunter2', text).replace(/[a-f\d]{64}/, (digits) => digits.toUpperCase())],
  ])(
    'takes one signature of several, so that keys can be rotated, in either case: %s',
    async (_what, signature) => {
      await using server = await startServer(settings);
      expect((await post(server, '/webhook/github', github(signature))).status).toBe(200);
      expect(await events(server)).toEqual([PUSHED]);
    },
  );

  it('looks at the secret before the body', async () => {
    await using server = await startServer(settings);
    const unsigned = await refused(await post(server, '/webhook/github', { text: '{' }), 401);
    expect(unsigned.field).toBe('X-Hub-Signature-256');
    const signed = await refused(
      await post(server, '/webhook/github', github(sign('hunter2', '{'), '{')),
      400,
    );
    expect(signed.field).toBe('body');
  });

  it('takes a token in a header', async () => {
    await using server = await startServer(settings);
    const body = {
      object_kind: 'push',
      ref: 'refs/heads/main',
      project: { path_with_namespace: 'acme/shop' },
    };
    const to = (token: string) =>
      post(server, '/webhook/gitlab', { headers: { 'X-Gitlab-Token': token }, body });
    await refused(await to('hunter3'), 401);
    await refused(await to('hunter'), 401);
    expect((await to('hunter2')).status).toBe(200);
    expect(await events(server)).toEqual([
      'events_to_metrics{project="acme/shop",ref="main",source="gitlab",type="push"} 1',
    ]);
  });

  it('is one of the settings just as well', async () => {
    await using server = await startServer(settings);
    const body = '{"env":"staging-7"}';
    const headers = { 'X-Signature': createHmac('sha256', 'hunter2').update(body).digest('hex') };
    expect((await post(server, '/webhook/deploys', { headers, text: body })).status).toBe(200);
    expect(await events(server)).toEqual(['deploys{env="other"} 1']);
  });
});

describe('a name that no webhook has', () => {
  it('gets the 404 that any path gets, and hears of no other name', async () => {
    await using server = await startServer({ webhooks: { deploys: { labels: { env: '/env' } } } });
    const { error } = await refused(await post(server, '/webhook/nope', { body: {} }), 404);
    expect(error).toBe('"/webhook/nope" not found; see / for what there is');
    const api = await (await fetch(`${server.url}/openapi.json`)).text();
    expect(api).toContain('/webhook/github');
    expect(api).not.toContain('deploys');
  });
});

describe('what is sent again', () => {
  const redelivered = (server: RunningServer, path: string, delivery: string) =>
    post(server, path, { headers: { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': delivery }, body: PUSH });

  it('is stored once, and answered as a duplicate', async () => {
    await using server = await startServer({ 'scrape.collapse': 'count' });
    expect(await (await redelivered(server, '/webhook/github', 'd1')).json()).toEqual({ accepted: 1 });
    expect(await (await redelivered(server, '/webhook/github', 'd1')).json()).toEqual({ duplicate: true });
    expect(await (await redelivered(server, '/webhook/github', 'd2')).json()).toEqual({ accepted: 1 });
    expect(await events(server)).toEqual([PUSHED.replace(/1$/, '2')]);
  });

  it('to another webhook is another event, and so is one whose sender has chosen the same id', async () => {
    const webhooks = { 'github-acme': { preset: 'github' } };
    await using server = await startServer({ webhooks, 'scrape.collapse': 'count' });
    await redelivered(server, '/webhook/github', 'd1');
    expect(await (await redelivered(server, '/webhook/github-acme', 'd1')).json()).toEqual({ accepted: 1 });
    const own = await fetch(`${server.url}/event?__id__=d1`, { method: 'POST' });
    expect(await own.json()).toEqual({ accepted: 1 });
  });

  it('at the same moment is one event', async () => {
    await using server = await startServer({ 'scrape.collapse': 'count' });
    await Promise.all(Array.from({ length: 50 }, () => redelivered(server, '/webhook/github', 'd1')));
    expect(await events(server)).toEqual([PUSHED]);
  });
});

describe('alerts', () => {
  const alert = (name: string, endsAt?: string) => ({
    labels: { alertname: name },
    startsAt: '2023-11-14T22:00:00Z',
    ...(endsAt !== undefined && { endsAt }),
  });

  it('of Prometheus are answered as Alertmanager does: 200 and no body', async () => {
    await using server = await startServer();
    const answer = await post(server, '/api/v2/alerts', {
      body: [alert('A'), alert('B', '2023-11-14T22:05:00Z')],
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
    expect(await events(server)).toEqual([
      'events_to_metrics{alertname="A",status="firing",type="alert"} 1',
      'events_to_metrics{alertname="B",status="resolved",type="alert"} 1',
    ]);
    expect((await post(server, '/api/v2/alerts', { body: [] })).status).toBe(200);
  });

  it('are one event for each beginning and one for each end, whoever sends them, however often', async () => {
    const now = Date.parse('2023-11-14T22:10:00Z');
    await using server = await startServer({ 'scrape.collapse': 'count' }, () => millis(now));
    const sent = (endsAt: string, startsAt = '2023-11-14T22:00:00Z') => ({
      labels: { alertname: 'A' },
      startsAt,
      endsAt,
    });
    // Prometheus writes a later end each time that it sends an alert which fires.
    for (const endsAt of [
      '2023-11-14T22:11:00Z',
      '2023-11-14T22:12:00Z',
      '2023-11-14T22:08:00Z',
      '2023-11-14T22:08:00Z',
    ])
      await post(server, '/api/v2/alerts', { body: [sent(endsAt)] });
    await post(server, '/api/v2/alerts', { body: [sent('2023-11-14T22:20:00Z', '2023-11-14T22:09:00Z')] });
    const fingerprint = fingerprintOf([['alertname', 'A']]);
    const forwarded = await post(server, '/webhook/alertmanager', {
      body: { version: '4', alerts: [{ ...sent('0001-01-01T00:00:00Z'), status: 'firing', fingerprint }] },
    });
    expect(await forwarded.json()).toEqual({ duplicate: true });
    expect(await events(server)).toEqual([
      'events_to_metrics{alertname="A",status="firing",type="alert"} 2',
      'events_to_metrics{alertname="A",status="resolved",type="alert"} 1',
    ]);
  });

  it('that fire for longer than ids.window are one event all the same, for as long as they are sent', async () => {
    const alerts = [{ ...alert('A'), status: 'firing', fingerprint: 'a' }];
    let now = Date.parse('2023-11-14T22:10:00Z');
    await using server = await startServer({ 'ids.window': millis(2 * HOUR) }, () => millis(now));
    const send = async () =>
      (await post(server, '/webhook/alertmanager', { body: { version: '4', alerts } })).json();
    const ids = async () =>
      /^events_to_metrics_ids (\d+)$/m.exec(
        await (await fetch(`${server.url}/metrics?peek=true`)).text(),
      )?.[1];
    expect(await send()).toEqual({ accepted: 1 });
    await fetch(`${server.url}/event?__id__=other`, { method: 'POST' });
    now += 1.5 * HOUR;
    expect(await send()).toEqual({ duplicate: true });
    // The other id is forgotten on the way.
    now += HOUR;
    await expect.poll(ids).toBe('1');
    expect(await send()).toEqual({ duplicate: true });
    now += 3 * HOUR;
    await expect.poll(ids).toBe('0');
  });

  it('that can be read are stored, even if another in the body can not, and what was left out is told', async () => {
    await using server = await startServer();
    const answer = await post(server, '/api/v2/alerts', {
      body: [alert('A'), { ...alert('B'), startsAt: 'soon' }, { labels: {} }, alert('C')],
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      leftOut: [
        { item: 1, field: '/startsAt', error: expect.stringContaining('"soon" is not a time') as string },
        {
          item: 2,
          field: 'labels',
          error: expect.stringContaining('at least one of them not empty') as string,
        },
      ],
    });
    expect(await events(server)).toHaveLength(3);
    const metrics = await (await fetch(`${server.url}/metrics?peek=true`)).text();
    expect(metrics).toContain('events_to_metrics_webhook_left_out_total{part="event"} 1\n');
    expect(metrics).toContain('events_to_metrics_webhook_left_out_total{part="time"} 1\n');
    expect(metrics).toContain('events_to_metrics_webhook_left_out_total{part="label"} 0\n');
    const log = server.log.join('');
    expect(log).toMatch(/"error":"\/startsAt .*"msg":"parts of a webhook left out"/);
    // What was accepted was not refused.
    expect(log).not.toContain('request refused');
  });

  it('that are too long for a series lose their last labels, and values that are too long their ends, both told or counted', async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [`l${n}`, { from: `/l${n}`, max: 1000 }]),
    );
    await using server = await startServer({ webhooks: { long: { labels } } });
    const body = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`l${n}`, 'x'.repeat(990)]));
    // The second time its names are known.
    for (const l11 of ['y', 'z']) {
      const answer = await post(server, '/webhook/long', { body: { ...body, l11 } });
      expect(await answer.json()).toEqual({
        accepted: 1,
        leftOut: [
          { field: 'labels', error: expect.stringContaining('its last 4 labels are left out') as string },
        ],
      });
    }
    await post(server, '/webhook/long', { body: { l0: '\u{1f600}'.repeat(500) } });
    const metrics = await (await fetch(`${server.url}/metrics?peek=true`)).text();
    expect(metrics).toContain('events_to_metrics_webhook_left_out_total{part="label"} 8\n');
    expect(metrics).toContain('events_to_metrics_labels_left_out_total 8\n');
    expect(metrics).toContain('events_to_metrics_label_values_truncated_total 1\n');
  });

  it('whose names Prometheus does not take are stored, under names that it does', async () => {
    await using server = await startServer();
    const labels = {
      alertname: 'A',
      环境: 'prod',
      'host.name': 'a',
      host_name: 'b',
      type: 'c',
      alert_type: 'd',
    };
    const body = [{ labels, startsAt: '2023-11-14T22:00:00Z' }];
    expect((await post(server, '/api/v2/alerts', { body })).status).toBe(200);
    const [shown] = await events(server);
    expect(shown).toMatch(
      /^events_to_metrics\{_="prod",alert_type="d",alert_type_[0-9a-f]{8}="c",alertname="A",host_name="b",host_name_[0-9a-f]{8}="a",status="firing",type="alert"\} 1$/,
    );
  });

  it('without a fingerprint are one event however often they are sent', async () => {
    await using server = await startServer();
    const body = { version: '4', alerts: [{ ...alert('A'), status: 'firing' }] };
    expect(await (await post(server, '/webhook/alertmanager', { body })).json()).toEqual({ accepted: 1 });
    expect(await (await post(server, '/webhook/alertmanager', { body })).json()).toEqual({ duplicate: true });
    // Prometheus sends the same one to both.
    const posted = await post(server, '/api/v2/alerts', { body: [alert('A')] });
    expect(posted.status).toBe(200);
    expect(await events(server)).toHaveLength(1);
  });

  it('are taken from a group of 1,500, and from a gzipped one', async () => {
    await using server = await startServer();
    const alerts = Array.from({ length: 1500 }, (_, n) => ({
      ...alert(`A${n}`),
      status: 'firing',
      annotations: { description: 'x'.repeat(800) },
    }));
    const text = JSON.stringify({ version: '4', alerts });
    expect(text.length).toBeGreaterThan(1_200_000);
    const answer = await post(server, '/webhook/alertmanager', { text });
    expect(await answer.json()).toEqual({ accepted: 1500 });
    const zipped = await fetch(`${server.url}/webhook/alertmanager`, {
      method: 'POST',
      headers: { 'Content-Encoding': 'gzip' },
      body: gzipSync(text),
    });
    expect(await zipped.json()).toEqual({ accepted: 0, duplicates: 1500 });
  });
});

describe('what tells two deliveries apart', () => {
  const argo = { app: 'shop', phase: 'Succeeded', health: 'Healthy', reconciledAt: '2023-11-14T22:00:00Z' };
  const application = (type: string | undefined, uid: string) => ({
    ...(type !== undefined && { type }),
    app: {
      metadata: { name: 'shop', namespace: 'argocd', uid },
      status: { reconciledAt: '2023-11-14T22:00:00Z', operationState: { phase: 'Succeeded' } },
    },
  });
  const flux = (uid: string, more: object = {}) => ({
    involvedObject: { kind: 'Kustomization', namespace: 'apps', name: 'shop', uid },
    timestamp: '2023-11-14T22:00:00Z',
    reason: 'ReconciliationSucceeded',
    message: 'done',
    ...more,
  });
  it.each([
    ['argocd', { ...argo, type: 'on-sync-succeeded' }, { ...argo, type: 'on-deployed' }],
    ['argocd', { ...argo, project: 'a' }, { ...argo, project: 'b' }],
    ['argocd', { ...argo, revision: 'a' }, { ...argo, revision: 'b' }],
    ['argocd', application('on-deployed', 'u1'), application('on-deployed', 'u2')],
    ['argocd', application(undefined, 'u1'), application('on-deployed', 'u1')],
    ['flux', flux('u1'), flux('u2')],
    ['flux', flux('u1', { severity: 'info' }), flux('u1', { severity: 'error' })],
    ['flux', flux('u1', { metadata: { cluster: 'a' } }), flux('u1', { metadata: { cluster: 'b' } })],
  ])('of %s is whatever is in them: %j and %j', async (name, one, other) => {
    await using server = await startServer();
    const send = async (body: object) => (await post(server, `/webhook/${name}`, { body })).json();
    expect(await send(one)).toEqual({ accepted: 1 });
    expect(await send(other)).toEqual({ accepted: 1 });
    expect(await send(one)).toEqual({ duplicate: true });
    expect(await send(other)).toEqual({ duplicate: true });
  });

  it('of GitLab before 17.4 is the body: one request leads to several events', async () => {
    await using server = await startServer();
    const send = async (ref: string) => {
      const body = { object_kind: 'push', ref, project: { path_with_namespace: 'acme/shop' } };
      return (
        await post(server, '/webhook/gitlab', { headers: { 'X-Gitlab-Event-UUID': 'u' }, body })
      ).json();
    };
    expect(await send('refs/heads/a')).toEqual({ accepted: 1 });
    expect(await send('refs/heads/b')).toEqual({ accepted: 1 });
    expect(await send('refs/heads/a')).toEqual({ duplicate: true });
  });

  it('is the URL, too: two clusters have alerts of one fingerprint', async () => {
    await using server = await startServer();
    const body = [{ labels: { alertname: 'A' }, startsAt: '2023-11-14T22:00:00Z' }];
    for (const cluster of ['a', 'b', 'a']) await post(server, `/api/v2/alerts?cluster=${cluster}`, { body });
    expect(await events(server)).toEqual([
      'events_to_metrics{alertname="A",cluster="a",status="firing",type="alert"} 1',
      'events_to_metrics{alertname="A",cluster="b",status="firing",type="alert"} 1',
    ]);
  });
});

describe("a webhook's URL", () => {
  const send = (server: RunningServer, query: string, body: object = PUSH) =>
    post(server, `/webhook/github?${query}`, { headers: { 'X-GitHub-Event': 'push' }, body });

  it('gives labels, a metric and a value, which win', async () => {
    await using server = await startServer();
    expect((await send(server, 'cluster=prod&ref=x&__name__=deploys&value=2&empty=')).status).toBe(200);
    expect(await events(server)).toEqual([
      'deploys{cluster="prod",ref="x",ref_type="branch",repository="acme/shop",source="github",type="push"} 2',
    ]);
  });

  it('leaves the label of an alert its value, under another name', async () => {
    await using server = await startServer();
    const body = [{ labels: { alertname: 'A', cluster: 'theirs' } }];
    await post(server, '/api/v2/alerts?cluster=ours', { body });
    expect(await events(server)).toEqual([
      'events_to_metrics{alert_cluster="theirs",alertname="A",cluster="ours",status="firing",type="alert"} 1',
    ]);
  });

  it.each([
    ['a-b=1', 'a-b'],
    ['a=1&a=2', 'a'],
    ['__id__=1', '__id__'],
    ['__timestamp__=1', '__timestamp__'],
    ['value=many', 'value'],
    ['a=%', 'a'],
  ])('that is wrong is refused, for a person wrote it: %s', async (query, field) => {
    await using server = await startServer();
    expect((await refused(await send(server, query), 400)).field).toBe(field);
    expect(await events(server)).toEqual([]);
  });
});

describe('a long body', () => {
  const commit = {
    id: 'a'.repeat(40),
    message: `Fix "it"\n\n${'x'.repeat(500)}`,
    added: [],
    modified: ['a/b'],
  };
  const push = (commits: number) =>
    JSON.stringify({ commits: Array.from({ length: commits }, () => commit), ...PUSH });
  const headers = { 'X-GitHub-Event': 'push' };

  it('is taken: a push of 2,048 commits', async () => {
    await using server = await startServer();
    const text = push(2048);
    expect(text.length).toBeGreaterThan(1024 * 1024);
    expect((await post(server, '/webhook/github', { headers, text })).status).toBe(200);
    expect(await events(server)).toEqual([PUSHED]);
  });

  it('of the size that GitHub caps at is taken in the memory of a container with 1 GiB', async () => {
    const machine = { memoryBytes: 2 ** 30, heapBytes: 2 ** 29 };
    await using server = await startServer({}, undefined, undefined, machine);
    const text = push(40_000)
      .slice(0, -1)
      .padEnd(25 * 1024 * 1024 - 1, ' ');
    const [answer, health] = await Promise.all([
      post(server, '/webhook/github', { headers, text: `${text}}` }),
      fetch(`${server.url}/healthz`),
    ]);
    expect(await answer.json()).toEqual({ accepted: 1 });
    expect(health.ok).toBe(true);
  });

  it('that takes more memory than there is for all is refused, and what it took is given back', async () => {
    const machine = { memoryBytes: 2 ** 28, heapBytes: 2 ** 27 };
    await using server = await startServer({}, undefined, undefined, machine);
    const annotation = JSON.stringify({ text: 'x', data: Array.from({ length: 400_000 }, () => ({ a: 1 })) });
    await refused(await post(server, '/api/annotations', { text: annotation }), 413);
    expect((await post(server, '/webhook/github', { headers, body: PUSH })).status).toBe(200);
    const held = /memory_bytes\{holder="bodies"\} (\d+)/;
    await expect
      .poll(async () => held.exec(await (await fetch(`${server.url}/metrics?peek=true`)).text())?.[1])
      .toBe('0');
  });
});

describe('the cap on new series', () => {
  const settings = { 'series.perHourMax': 1, 'series.overflow': 'refuse' } as const;

  it('refuses what goes beyond it, and stores the alerts that do not', async () => {
    await using server = await startServer(settings);
    const body = ['A', 'B'].map((alertname) => ({ labels: { alertname }, startsAt: '2023-11-14T22:00:00Z' }));
    const answer = await post(server, '/api/v2/alerts', { body });
    expect((await refused(answer, 429)).error).toContain('series');
    expect(await events(server)).toEqual(['events_to_metrics{alertname="A",status="firing",type="alert"} 1']);
  });

  it('needs no place in a body that holds one event', async () => {
    await using server = await startServer(settings);
    const push = (ref: string) =>
      post(server, '/webhook/github', { headers: { 'X-GitHub-Event': 'push' }, body: { ...PUSH, ref } });
    expect((await push('refs/heads/a')).status).toBe(200);
    const answer = await push('refs/heads/b');
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await refused(answer, 429)).error).not.toContain('[0]');
  });
});

describe('annotations', () => {
  it('are answered as Grafana does', async () => {
    await using server = await startServer();
    const plain = await post(server, '/api/annotations', {
      body: { text: 'Deployed', tags: ['deploy', 'env:prod'] },
    });
    expect(plain.status).toBe(200);
    expect(await plain.json()).toEqual({ message: 'Annotation added', id: expect.any(Number) as number });
    const graphite = await post(server, '/api/annotations/graphite', {
      body: { what: 'Deployed', tags: 'deploy env:test' },
    });
    expect(await graphite.json()).toEqual({
      message: 'Graphite annotation added',
      id: expect.any(Number) as number,
    });
    expect(await events(server)).toEqual([
      'events_to_metrics{env="prod",tags="deploy",text="Deployed",type="annotation"} 1',
      'events_to_metrics{env="test",tags="deploy",text="Deployed",type="annotation"} 1',
    ]);
  });
});

describe('the settings', () => {
  it('that are wrong stop the start with one line that names the place', async () => {
    await expect(startServer({ webhooks: { deploys: { labels: { env: 'env' } } } })).rejects.toThrow(
      'webhooks.deploys.labels.env "env" is not a reference; write a JSON pointer such as /a/b',
    );
  });
});
