import { describe, expect, test } from 'vitest';
import type { Judgement, Sent, Version } from './answer.ts';
import { judgeAnswer } from './answer.ts';

const answer = (status: number, written?: number) =>
  ({ kind: 'answered', status, written, retryAfterMs: undefined, words: 'words' }) as const;
const sent = (version: Version, more: Partial<Sent> = {}): Sent => ({
  version,
  samples: 10,
  mayFallBack: false,
  isProven: false,
  ...more,
});

type Row = readonly [
  what: string,
  status: number,
  written: number | undefined,
  sent: Sent,
  kind: Judgement['kind'],
];
const second = sent('2.0');
const auto = sent('2.0', { mayFallBack: true });
const proven = sent('2.0', { mayFallBack: true, isProven: true });
const first = sent('1.0');

test.each<Row>([
  ['a success', 204, 10, second, 'stored'],
  ['a success of 1.0, which says no more', 200, undefined, first, 'stored'],
  ['a success of 1.0 with headers that belong to 2.0', 204, 0, first, 'stored'],
  ['fewer written than sent', 204, 9, second, 'refused'],
  ['a success that has read nothing', 204, undefined, auto, 'older'],
  ['a success that has read nothing, where it was understood before', 204, undefined, proven, 'notNow'],
  ['a success that has read nothing, where only 2.0 may be sent', 204, undefined, second, 'notNow'],
  ['415', 415, undefined, auto, 'older'],
  ['415 where only 2.0 may be sent', 415, undefined, second, 'notNow'],
  ['415 to 1.0', 415, undefined, first, 'notNow'],
  ['400 of one that may know 1.0 only', 400, undefined, auto, 'older'],
  ['400 of one that knows 2.0', 400, 9, auto, 'refused'],
  ['400 without headers of one that knew 2.0 before', 400, undefined, proven, 'refused'],
  ['400', 400, undefined, first, 'refused'],
  ['409', 409, undefined, first, 'refused'],
  ['413', 413, undefined, first, 'refused'],
  ['422', 422, 0, second, 'refused'],
  ['a code that nobody knows', 499, undefined, first, 'refused'],
  ...[401, 403, 404, 405, 407, 408, 421, 425, 429, 431].map((status): Row => [
    'of the request',
    status,
    undefined,
    first,
    'notNow',
  ]),
  ...[300, 301, 302, 307, 308].map((status): Row => ['a redirect', status, undefined, first, 'notNow']),
  ...[500, 501, 502, 503, 504, 599].map((status): Row => ['of the server', status, 10, second, 'notNow']),
])('%s: %i, %o written', (_what, status, written, request, kind) => {
  expect(judgeAnswer(answer(status, written), request).kind).toBe(kind);
});

test.each([
  ['Client sent an HTTP request to an HTTPS server.', 'notNow'],
  ['<html> <head><title>400 The plain HTTP request was sent to HTTPS port</title></head>', 'notNow'],
  ['out of bounds: {message="Client sent an HTTP request to an HTTPS server."}', 'refused'],
])(
  '400 with %j is %s: an address that is wrong loses no event, and no event can be taken for one',
  (words, kind) => {
    const judged = judgeAnswer({ ...answer(400), words }, first);
    expect(judged.kind).toBe(kind);
    expect(judged.kind !== 'notNow' || judged.why.endsWith('; begin the url with https:')).toBe(true);
  },
);

describe('no answer', () => {
  test('is not now, whatever was sent', () => {
    const none = { kind: 'none', why: 'refused', mayHaveArrived: false, isTimeout: false } as const;
    expect(judgeAnswer(none, auto)).toEqual({ kind: 'notNow', why: 'refused', retryAfterMs: undefined });
  });
});
