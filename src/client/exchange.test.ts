import { describe, expect, it } from 'vitest';
import { whyNot } from './exchange.ts';

describe('why a request got no answer', () => {
  it('is told of a port that fetch never connects to', async () => {
    const failure: unknown = await fetch('http://localhost:6000/').catch((error: unknown) => error);
    expect(whyNot(failure)).toBe(
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
    expect(whyNot(new TypeError('fetch failed', { cause }))).toBe(
      "self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT); name the file of its authority's certificate in NODE_EXTRA_CA_CERTS",
    );
  });
});
