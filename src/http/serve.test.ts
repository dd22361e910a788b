import { describe, expect, it } from 'vitest';
import { endpointServer } from '../../test/support/endpointServer.ts';
import { RefusedError } from '../core/errors.ts';
import type { Endpoint, Handler } from './endpoint.ts';

const row = (path: string, handler: Handler, body: Endpoint['body'] = 'none'): Endpoint => ({
  method: 'POST',
  path,
  access: 'open',
  limits: 'none',
  body,
  operation: 'hidden',
  handler,
});

describe('what a handler throws', () => {
  it.each([
    [
      'at once',
      () => {
        throw new RefusedError('a', 'no');
      },
    ],
    ['later', () => Promise.reject(new RefusedError('a', 'no'))],
  ] as const)('%s, is answered, and told of with the row', async (_when, handler) => {
    await using server = await endpointServer([row('/a/{id}', handler)]);
    const answer = await server.ask('POST', '/a/1');
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'no', field: 'a' }]);
    expect(server.told).toMatchObject([['/a/{id}', 400, { message: 'no' }]]);
  });

  it('when half of its answer has left, ends the connection: what came is not taken for all', async () => {
    const handler: Handler = async (exchange) => {
      exchange.header('Content-Length', 10).writeHead();
      await new Promise((resolve) => exchange.response.write('half', resolve));
      throw new Error('the disk broke');
    };
    await using server = await endpointServer([row('/a', handler)]);
    await expect(server.ask('POST', '/a').then((answer) => answer.text())).rejects.toThrow('terminated');
    expect(server.told).toMatchObject([['/a', 500, { message: 'the disk broke' }]]);
  });

  it('by mistake, is told of, and not shown to strangers', async () => {
    const handler: Handler = () => {
      throw new TypeError('undefined is not a function');
    };
    await using server = await endpointServer([row('/a', handler)]);
    expect(await (await server.ask('POST', '/a')).json()).toEqual({
      error: 'internal error; see the server log',
    });
    expect(server.told).toMatchObject([['/a', 500, { message: 'undefined is not a function' }]]);
  });
});

describe('a body', () => {
  const echo: Handler = async (exchange) => exchange.type('text/plain').send(await exchange.wholeBody());

  it('is read in the bounds of its row, to the last byte', async () => {
    await using server = await endpointServer([row('/a', echo, { bytesMax: 10 })]);
    expect(await (await server.ask('POST', '/a', { body: '0123456789' })).text()).toBe('0123456789');
    const refused = await server.ask('POST', '/a', { body: '0123456789a' });
    expect([refused.status, refused.headers.get('connection')]).toEqual([413, 'close']);
  });

  it("can't be read by the handler of a row that takes none", async () => {
    await using server = await endpointServer([row('/a', echo)]);
    expect((await server.ask('POST', '/a', { body: 'a' })).status).toBe(500);
    expect(server.told).toMatchObject([['/a', 500, { message: '/a takes no body' }]]);
  });
});
