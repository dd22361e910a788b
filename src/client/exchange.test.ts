import { describe, expect, it } from 'vitest';
import { whyNot } from './exchange.ts';

describe('why a request got no answer', () => {
  it('is told of a port that fetch never connects to', async () => {
    const failure: unknown = await fetch('http://localhost:6000/').catch((error: unknown) => error);
    expect(whyNot(failure)).toBe(
      'Node, like browsers, refuses to connect to this port; let the server listen on another',
    );
  });
});
