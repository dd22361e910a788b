import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

const post = async (server: RunningServer, query: string, init: RequestInit = {}) => {
  const answer = await fetch(`${server.url}/event?${query}`, { method: 'POST', ...init });
  return { status: answer.status, text: await answer.text() };
};
const withKey = (key: string) => ({ headers: { 'idempotency-key': key } });
const stored = async (server: RunningServer) => {
  const body = await (await fetch(`${server.url}/metrics?peek=true&scraper=test`)).text();
  return Number(/^events_to_metrics_event_count (\d+)$/m.exec(body)?.[1]);
};

const ACCEPTED = { status: 200, text: '{"accepted":1}' };
const DUPLICATE = { status: 200, text: '{"duplicate":true}' };

describe('an event that is sent again under its id is stored once', () => {
  it('whether the id stands in the header or in __id__, with or without quotes', async () => {
    await using server = await startServer();
    expect(await post(server, 'n=1', withKey('a-1'))).toEqual(ACCEPTED);
    expect(await post(server, 'n=1', withKey('a-1'))).toEqual(DUPLICATE);
    expect(await post(server, 'n=1', withKey('"a-1"'))).toEqual(DUPLICATE);
    expect(await post(server, 'n=1&__id__=a-1')).toEqual(DUPLICATE);
    expect(await post(server, '', { body: new URLSearchParams({ n: '1', __id__: 'a-1' }) })).toEqual(
      DUPLICATE,
    );
    expect(await post(server, 'n=1&__id__=a-2')).toEqual(ACCEPTED);
    expect((await post(server, 'n=1')).text).toMatch(/^\{"accepted":1,"eventId":"e3-[\da-z]+"\}$/);
    expect(await stored(server)).toBe(3);
  });

  it("with an id of its own and a request's, if either is known", async () => {
    await using server = await startServer();
    expect(await post(server, 'n=1&__id__=mine', withKey('request'))).toEqual(ACCEPTED);
    expect(await post(server, 'n=1&__id__=other', withKey('request'))).toEqual(DUPLICATE);
    expect(await post(server, 'n=1&__id__=mine', withKey('another'))).toEqual(DUPLICATE);
    expect(await stored(server)).toBe(1);
  });

  it('by two hundred concurrent pushes', async () => {
    await using server = await startServer();
    const answers = await Promise.all(Array.from({ length: 200 }, () => post(server, 'n=1', withKey('one'))));
    expect(answers.filter(({ text }) => text === ACCEPTED.text)).toHaveLength(1);
    expect(answers.filter(({ text }) => text === DUPLICATE.text)).toHaveLength(199);
    expect(await stored(server)).toBe(1);
  });

  it('and counted among the duplicates', async () => {
    await using server = await startServer();
    for (let i = 0; i < 3; i += 1) await post(server, 'n=1&__id__=a');
    const body = await (await fetch(`${server.url}/metrics`)).text();
    expect(body).toContain('events_to_metrics_duplicates_total 2\n');
    expect(body).toContain('events_to_metrics_ids 1\n');
    expect(body.match(/^events_to_metrics\{/gm)).toHaveLength(1);
  });
});

describe('an id that breaks a rule is refused, and the event with it', () => {
  it.each([
    ['is empty', '__id__=', {}, '__id__'],
    ['is an empty header', 'a=1', withKey(''), 'Idempotency-Key'],
    ['is too long', `__id__=${'x'.repeat(257)}`, {}, '__id__'],
    ['is a header too long', 'a=1', withKey('x'.repeat(257)), 'Idempotency-Key'],
    ['is too long in bytes', `__id__=${encodeURIComponent('ü'.repeat(129))}`, {}, '__id__'],
    ['holds a line end', '__id__=a%0Ab', {}, '__id__'],
    ['holds NUL', '__id__=a%00', {}, '__id__'],
    ['holds bytes that are no ASCII, in the header', 'a=1', withKey('\u00fc'), 'Idempotency-Key'],
    ['is given twice', '__id__=a&__id__=a', {}, '__id__'],
  ])('one that %s', async (_what, query, init, field) => {
    await using server = await startServer();
    const { status, text } = await post(server, query, init);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ field });
    expect(await stored(server)).toBe(0);
  });

  it('and the longest is taken', async () => {
    await using server = await startServer();
    expect(await post(server, `__id__=${encodeURIComponent('ü'.repeat(128))}`)).toEqual(ACCEPTED);
    expect(await post(server, 'n=1', withKey('x'.repeat(256)))).toEqual(ACCEPTED);
  });
});
