import { describe, expect, it } from 'vitest';
import { judge } from './answer.ts';

const kind = (status: number, body = '{"error":"no"}') => judge(status, body, null, 0).kind;

describe('an answer', () => {
  it.each([
    ['{"accepted":1}', false],
    ['{"duplicate":true}', true],
    ['{"accepted":0,"duplicate":true}', true],
  ])('200 with %s means that it is stored', (body, duplicate) => {
    expect(judge(200, body, null, 0)).toEqual({ kind: 'accepted', duplicate });
  });

  it.each(['', 'OK', '<html>', '[]', 'null', '"x"', '{"accepted":"1"}', '{"duplicate":false}'])(
    '200 with %j is not of this server, so nothing is stored',
    (body) => {
      expect(kind(200, body)).toBe('denied');
    },
  );

  it.each([400, 413, 414, 415, 422, 431])('%i lies in the event', (status) => {
    expect(kind(status)).toBe('refused');
  });

  it.each([401, 403, 404, 405, 301, 302, 307, 0])('%i lies in the address or the credentials', (status) => {
    expect(kind(status)).toBe('denied');
  });

  it.each([
    '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>',
    'Client sent an HTTP request to an HTTPS server.\n',
    '',
  ])('400 with %j is not of this server, so the address is at fault', (body) => {
    expect(judge(400, body, null, 0)).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('whether it begins with http:// or https://') as string,
    });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('%i may pass', (status) => {
    expect(kind(status)).toBe('unavailable');
  });

  it("tells the server's own words, its field, and when to come again", () => {
    const error = '{"error":"label a-b is not valid","field":"a-b"}';
    expect(judge(400, error, null, 0)).toEqual({
      kind: 'refused',
      message: 'label a-b is not valid (400)',
      field: 'a-b',
    });
    expect(judge(503, '{"error":"full"}', '5', 0)).toEqual({
      kind: 'unavailable',
      message: 'full (503)',
      retryAfterMs: 5_000,
    });
  });

  it('cuts what a server says too much', () => {
    const { message } = judge(400, JSON.stringify({ error: 'x'.repeat(10_000) }), null, 0) as {
      message: string;
    };
    expect(message).toHaveLength(306);
  });
});
