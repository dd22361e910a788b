import { expect, it } from 'vitest';
import { endpointServer } from '../../../test/support/endpointServer.ts';
import { Access } from '../../access/access.ts';
import { hashToken, tokenEntry } from '../../access/tokens.ts';
import { AllowedHosts } from '../browsers/hosts.ts';
import { ForeignPages } from '../browsers/pages.ts';
import type { Endpoint } from '../endpoint.ts';
import { TrustedProxies } from '../proxies.ts';
import { Admission } from './admission.ts';
import { guard } from './guard.ts';
import { WriteLimits } from './writeLimits.ts';

/** A server with one token of the scope `write`. */
async function serverWithToken() {
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
  return endpointServer(
    ENDPOINTS,
    guard(
      new Admission({
        access,
        writeLimits,
        hosts: new AllowedHosts([]),
        foreignPages: new ForeignPages([]),
        proxies: new TrustedProxies([]),
        elapsed,
      }),
    ),
  );
}

const row: Omit<Endpoint, 'path' | 'access'> = {
  method: 'POST',
  limits: 'posts',
  body: 'none',
  operation: 'hidden',
  handler: (exchange) => exchange.json({ who: exchange.principal?.name ?? 'nobody' }),
};

const ENDPOINTS: readonly Endpoint[] = [
  { ...row, path: '/signed', access: 'open' },
  { ...row, path: '/dangerous', access: 'admin', method: 'GET', limits: 'none' },
  { ...row, path: '/event', access: 'write' },
];

const BEARER = { headers: { authorization: 'Bearer t' } };

it('a row may be open because it checks a signature of its own', async () => {
  await using server = await serverWithToken();
  expect(await (await server.ask('POST', '/signed')).json()).toEqual({ who: 'nobody' });
});

it('and still counts against the limits for posting', async () => {
  await using server = await serverWithToken();
  const statuses = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await server.ask('POST', '/signed')).status);
  expect(statuses).toEqual([200, 200, 429]);
});

it('or ask for more than others of its method do', async () => {
  await using server = await serverWithToken();
  expect((await server.ask('GET', '/dangerous', BEARER)).status).toBe(403);
});

it('a handler learns who it serves', async () => {
  await using server = await serverWithToken();
  expect(await (await server.ask('POST', '/event', BEARER)).json()).toEqual({ who: 'w' });
});

it('who is not let in costs those who are nothing of their limits', async () => {
  await using server = await serverWithToken();
  for (let i = 0; i < 5; i += 1) expect((await server.ask('POST', '/event')).status).toBe(401);
  expect((await server.ask('POST', '/event', BEARER)).status).toBe(200);
});

it("a stranger isn't told what there is", async () => {
  await using server = await serverWithToken();
  for (const path of ['/nothing', '/event', '/%zz'])
    expect([path, (await server.ask('DELETE', path)).status]).toEqual([path, 401]);
});
