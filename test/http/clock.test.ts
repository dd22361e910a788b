import { expect, it } from 'vitest';
import { millis } from '../../src/core/millis.ts';
import { startServer } from '../support/server.ts';

const HOUR = 3_600_000;

it.each([-HOUR, HOUR])(
  'a clock that is set by %d ms changes no limit: what time passes lets through, it lets through',
  async (byMs) => {
    let now = 1_700_000_000_000;
    let elapsed = 1_000;
    await using server = await startServer(
      { 'limits.perClient': 1, 'limits.perClientBurst': 2, 'limits.total': 1, 'limits.totalBurst': 2 },
      () => millis(now),
      () => elapsed,
    );
    const post = async () => (await fetch(`${server.url}/event?a=1`, { method: 'POST' })).status;
    expect([await post(), await post(), await post()]).toEqual([200, 200, 429]);
    now += byMs;
    expect(await post()).toBe(429);
    elapsed += 1_000;
    expect([await post(), await post()]).toEqual([200, 429]);
  },
);
