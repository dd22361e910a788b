import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../core/errors.ts';
import type { NameRules } from './compile.ts';
import { PRESETS } from './senders/senders.ts';
import type { Webhook } from './webhooks.ts';
import { readWebhooks } from './webhooks.ts';
import { WIDE_LIMITS } from '../../../test/support/rules.ts';

const RULES: NameRules = {
  names: 'legacy',
  limits: { ...WIDE_LIMITS, idBytesMax: 64 },
  reserved: () => false,
};
const read = (settings: Record<string, unknown>) => readWebhooks(settings, RULES);

function only(settings: Record<string, unknown>): Webhook {
  const [name = ''] = Object.keys(settings);
  const found = read(settings).filter((webhook) => webhook.name === name);
  expect(found).toHaveLength(1);
  if (found[0] === undefined) throw new Error(name);
  return found[0];
}

function labelsOf({ mapping }: Webhook): string[][] {
  return mapping.kinds.map(({ labels }) => labels.map(({ name }) => name).sort());
}

describe('without settings', () => {
  it('every preset is there at its path, open', () => {
    expect(read({}).map(({ name, path, secret }) => [name, path, secret])).toEqual(
      PRESETS.map(({ name, path }) => [name, path, undefined]),
    );
  });

  it('no two presets share a path', () => {
    expect(new Set(PRESETS.map(({ path }) => path)).size).toBe(PRESETS.length);
  });
});

describe('a preset in the settings', () => {
  it('gets a secret, and keeps its path and its ids', () => {
    const github = only({ github: { secret: 'x' } });
    expect(github).toMatchObject({
      path: '/webhook/github',
      idSpace: 'github',
      secret: { by: 'signature', header: 'X-Hub-Signature-256', prefix: 'sha256=', text: 'x' },
    });
    expect(read({ github: { preset: 'github', secret: 'x' } })).toHaveLength(PRESETS.length);
  });

  it('may be there under another name, whose ids are its own', () => {
    const webhooks = read({ 'github-acme': { preset: 'github', secret: 'x' } });
    expect(webhooks).toHaveLength(PRESETS.length + 1);
    expect(webhooks[0]).toMatchObject({
      path: '/webhook/github-acme',
      receives: undefined,
      idSpace: 'github-acme',
    });
    expect(only({ alerts: { preset: 'prometheus' } })).toMatchObject({
      path: '/webhook/alerts',
      answer: 'empty',
    });
  });

  it('keeps only some kinds, with labels added, replaced and left out, and a metric', () => {
    const webhook = only({
      github: {
        only: ['push', 'release'],
        labels: { team: { const: 'shop' }, ref: { from: '/ref', as: ['ref-name'], allow: ['main'] } },
        drop: ['repository', 'prerelease'],
        metric: 'github_events',
      },
    });
    expect(labelsOf(webhook)).toEqual([
      ['ref', 'ref_type', 'source', 'team', 'type'],
      ['action', 'ref', 'source', 'team', 'type', 'version'],
    ]);
    expect(webhook.mapping.kinds.map(({ metric }) => metric)).toEqual(['github_events', 'github_events']);
    const ref = webhook.mapping.kinds[0]?.labels.find(({ name }) => name === 'ref');
    expect(ref?.allowed).toEqual(new Set(['main']));
  });

  it('shows its secret in a header of the settings, if they name one', () => {
    expect(only({ argocd: { secret: 'x', token: { header: 'X-Api-Key' } } }).secret).toEqual({
      by: 'token',
      header: 'X-Api-Key',
      prefix: '',
      text: 'x',
    });
  });
});

describe('a webhook of its own', () => {
  it('listens under its name, with a secret or without', () => {
    expect(only({ deploys: { labels: { env: '/env' } } })).toMatchObject({
      path: '/webhook/deploys',
      idSpace: 'deploys',
      secret: undefined,
    });
    const signature = { header: 'X-Signature', prefix: 'sha256=' };
    expect(only({ deploys: { labels: { env: '/env' }, secret: 'x', signature } }).secret).toEqual({
      by: 'signature',
      ...signature,
      text: 'x',
    });
    expect(only({ deploys: { labels: { env: '/env' }, secret: 'x', token: 'X-Token' } }).secret).toEqual({
      by: 'token',
      header: 'X-Token',
      prefix: '',
      text: 'x',
    });
  });
});

describe('settings are refused', () => {
  it.each([
    [{ Deploys: {} }, 'webhooks "Deploys" is not a valid webhook name'],
    [{ 'a/b': {} }, 'webhooks "a/b" is not a valid webhook name'],
    [{ '': {} }, 'webhooks "" is not a valid webhook name'],
    [
      JSON.parse('{"__proto__":{}}') as Record<string, unknown>,
      'webhooks "__proto__" is not a valid webhook name',
    ],
    [{ deploys: [] }, 'webhooks.deploys must be an object'],
    [
      { deploys: 'hunter2' },
      "webhooks.deploys must be an object; the value isn't shown because it may be a secret",
    ],
    [{ deploys: { labels: {}, hunter2: 1 } }, 'webhooks.deploys has an unknown member; it can have'],
    [{ deploys: {} }, 'webhooks.deploys maps nothing; add labels, or name a preset'],
    [
      { deploys: { preset: 'gitbuh' } },
      'webhooks.deploys.preset must be one of prometheus, alertmanager, github,',
    ],
    [{ deploys: { labels: { env: 'env' } } }, 'webhooks.deploys.labels.env "env" is not a reference'],
    [{ deploys: { lables: {} } }, 'webhooks.deploys has an unknown member "lables"; it can have when,'],
    [
      { github: { each: '/x' } },
      'webhooks.github has an unknown member; it can have preset, only, labels, drop, metric, secret,',
    ],
    [{ github: { only: ['puhs'] } }, 'webhooks.github.only must be one of push, release,'],
    [{ github: { labels: [] } }, 'webhooks.github.labels must be an object of labels, not []'],
    [{ github: { labels: { a: 'b' } } }, 'labels.a "b" is not a reference'],
    [{ deploys: { labels: { a: '/a' }, secret: 'x' } }, 'webhooks.deploys.secret has no effect'],
    [{ deploys: { labels: { a: '/a' }, token: 'X-A' } }, 'webhooks.deploys.token needs a secret'],
    [{ github: { token: 'X-A', signature: 'X-B' } }, 'webhooks.github has both a signature and a token'],
    [{ github: { secret: '' } }, 'webhooks.github.secret must be a string of 1 to 4096 characters'],
    [
      { github: { secret: 'x', token: { header: 'X-A', perfix: '' } } },
      'webhooks.github.token has an unknown member "perfix"',
    ],
    [
      { github: { secret: 'x', token: { header: 'X-A', prefix: 1 } } },
      'webhooks.github.token.prefix must be a string',
    ],
    [
      Object.fromEntries([...Array(201).keys()].map((n) => [`w${n}`, {}])),
      'webhooks has 201 entries; the limit is 200',
    ],
  ])('%j', (settings, message) => {
    expect(() => read(settings)).toThrow(RefusedError);
    expect(() => read(settings)).toThrow(message);
  });

  it.each([
    { github: { secret: 12_345 } },
    { github: { secret: { vault: '12345' } } },
    { github: { token: '12345 ', secret: 'x' } },
    { github: { token: '12345' } },
  ])('without showing what may be a secret: %j', (settings) => {
    expect(() => read(settings)).toThrow(RefusedError);
    expect(() => read(settings)).not.toThrow('12345');
  });
});
