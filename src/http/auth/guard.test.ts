import { fastify } from 'fastify';
import { expect, it } from 'vitest';
import { Access } from '../../access/access.ts';
import { hashToken, tokenEntry } from '../../access/tokens.ts';
import { answerOf, sendAnswer } from '../answers.ts';
import { AllowedHosts } from '../browsers/hosts.ts';
import { ForeignPages } from '../browsers/pages.ts';
import { TrustedProxies } from '../proxies.ts';
import { guard } from './guard.ts';
import { WriteLimits } from './writeLimits.ts';

/** An app with one token of the scope `write`, and routes that say themselves what they ask for. */
async function appWithToken() {
  const access = await Access.open({
    settings: {
      'web.config.file': '',
      'auth.tokens.file': 'tokens.yml',
      'auth.users': [],
      'scrapers.byUser': false,
    },
    read: async () => tokenEntry({ name: 'w', scopes: ['write'], hash: hashToken('t') }),
    compare: () => Promise.reject(new Error('there are no passwords')),
    key: new Uint8Array(32),
    news: { reloaded: () => undefined, kept: () => undefined },
  });
  const elapsed = () => 0;
  const writeLimits = new WriteLimits(
    { 'limits.perClient': 1, 'limits.perClientBurst': 2, 'limits.total': 0, 'limits.totalBurst': 1 },
    elapsed,
  );
  const app = fastify();
  app.setErrorHandler((error, request, reply) => sendAnswer(request, reply, answerOf(error)));
  guard(app, {
    access,
    writeLimits,
    hosts: new AllowedHosts([]),
    foreignPages: new ForeignPages([]),
    proxies: new TrustedProxies([]),
    elapsed,
  });
  app.post('/signed', { config: { access: 'open' } }, (request) => ({
    who: request.principal?.name ?? 'nobody',
  }));
  app.get('/dangerous', { config: { access: 'admin' } }, () => 'done');
  app.post('/event', (request) => ({ who: request.principal?.name ?? 'nobody' }));
  return app;
}

const BEARER = { authorization: 'Bearer t' };

it('a route may be open because it checks a signature of its own', async () => {
  const app = await appWithToken();
  expect((await app.inject({ method: 'POST', url: '/signed' })).json()).toEqual({ who: 'nobody' });
});

it('and still counts against the limits for posting', async () => {
  const app = await appWithToken();
  const statuses = [];
  for (let i = 0; i < 3; i += 1)
    statuses.push((await app.inject({ method: 'POST', url: '/signed' })).statusCode);
  expect(statuses).toEqual([200, 200, 429]);
});

it('or ask for more than its method does', async () => {
  const app = await appWithToken();
  expect((await app.inject({ url: '/dangerous', headers: BEARER })).statusCode).toBe(403);
});

it('a handler learns who it serves', async () => {
  const app = await appWithToken();
  expect((await app.inject({ method: 'POST', url: '/event', headers: BEARER })).json()).toEqual({ who: 'w' });
});

it('who is not let in costs those who are nothing of their limits', async () => {
  const app = await appWithToken();
  for (let i = 0; i < 5; i += 1)
    expect((await app.inject({ method: 'POST', url: '/event' })).statusCode).toBe(401);
  expect((await app.inject({ method: 'POST', url: '/event', headers: BEARER })).statusCode).toBe(200);
});
