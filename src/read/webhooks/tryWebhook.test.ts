import { expect, it } from 'vitest';
import { millis } from '../../core/millis.ts';
import { tryWebhook } from './tryWebhook.ts';
import { WIDE_RULES } from '../../../test/support/rules.ts';

const RULES = {
  rules: WIDE_RULES,
  eventsMax: 10,
} as const;
const SETTINGS = { deploys: { labels: { env: '/env' }, id: '{header:X-Id}', secret: 's', token: 'X-Token' } };

function tried(name: string, text: string, headers: Record<string, string> = {}) {
  return tryWebhook(name, SETTINGS, { body: new TextEncoder().encode(text), headers }, RULES, millis(0));
}

it('a body is tried without its secret, with headers in any case', () => {
  expect(tried('deploys', '{"env":"prod"}', { 'x-ID': '7' })).toEqual({
    events: [{ series: 'events{env="prod"}', value: 1, id: 'deploys\n7' }],
    ignored: 0,
    refused: [],
    leftOut: [],
  });
});

it('a body that would be refused says why, and so does what is left out of it', () => {
  expect(tried('deploys', '{"env":{}}')).toEqual({
    events: [{ series: 'events', value: 1 }],
    ignored: 0,
    refused: [],
    leftOut: [expect.stringContaining('/env is an object')],
  });
  expect(tried('deploys', '{').refused).toEqual([expect.stringContaining('body is not valid JSON')]);
});

it('a preset may be tried, and a name that no webhook has is told', () => {
  expect(tried('github', '{}', { 'X-GitHub-Event': 'ping' })).toEqual({
    events: [],
    ignored: 1,
    refused: [],
    leftOut: [],
  });
  expect(() => tried('nope', '{}')).toThrow(
    'there is no webhook "nope"; the webhooks are deploys, prometheus, alertmanager',
  );
});

it('another webhook may be wrong: the one that is tried is not', () => {
  const settings = { ...SETTINGS, broken: { labels: { env: 'env' } } };
  const sent = { body: new TextEncoder().encode('{"env":"prod"}'), headers: {} };
  expect(tryWebhook('deploys', settings, sent, RULES, millis(0)).events).toHaveLength(1);
  expect(() => tryWebhook('broken', settings, sent, RULES, millis(0))).toThrow(
    'webhooks.broken.labels.env "env" is not a reference',
  );
  expect(() => tryWebhook('nope', settings, sent, RULES, millis(0))).toThrow(
    'the webhooks are deploys, broken, prometheus',
  );
});
