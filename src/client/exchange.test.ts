import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { whyNot } from './exchange.ts';

describe('why a request got no answer', () => {
  it('is told of a port that fetch never connects to', async () => {
    const failure: unknown = await fetch('http://localhost:6000/').catch((error: unknown) => error);
    expect(whyNot(failure, 'http://localhost:6000/')).toBe(
      'Node, like browsers, refuses to connect to this port; let the server listen on another',
    );
  });

  it('is told of a certificate of an unknown authority, with what to do', () => {
    const cause = Object.assign(
      new Error(
        'self-signed certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
      ),
      { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    );
    expect(whyNot(new TypeError('fetch failed', { cause }), 'https://a')).toBe(
      "self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT); name the file of its authority's certificate in NODE_EXTRA_CA_CERTS",
    );
  });

  it.each([
    [
      'http',
      'TLS',
      'other side closed (UND_ERR_SOCKET); if the server uses TLS, begin the url with https://',
    ],
    [
      'https',
      'plain HTTP',
      "wrong version number (ERR_SSL_WRONG_VERSION_NUMBER); the server doesn't use TLS on this port, so begin the url with http://",
    ],
  ])('is told of %s:// and a server that speaks %s, with what to do', async (scheme, speaks, message) => {
    const pem = (name: string) =>
      readFileSync(join(import.meta.dirname, '../../test/golden/webConfig', name));
    const server =
      speaks === 'TLS'
        ? createTlsServer({ cert: pem('server.pem'), key: pem('server.key') })
        : createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const failure: unknown = await fetch(url, { method: 'POST' }).catch((error: unknown) => error);
    server.close();
    expect(whyNot(failure, url)).toBe(message);
  });
});
