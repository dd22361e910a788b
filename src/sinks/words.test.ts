import { expect, it } from 'vitest';
import { Words } from './words.ts';

const echoed = (options: Partial<ConstructorParameters<typeof Words>[0]>, text: string) =>
  new Words({ url: new URL('http://db/'), headers: {}, credentials: undefined, ...options }).said(
    Buffer.from(text),
  );

it.each([
  ['a token of a header', { headers: { authorization: 'Bearer HEADERTOKEN' } }, 'got HEADERTOKEN', 'got ***'],
  [
    'a password in a Basic header',
    { headers: { authorization: `Basic ${Buffer.from('me:PASSWORD').toString('base64')}` } },
    'no user has PASSWORD',
    'no user has ***',
  ],
  [
    'a query of the URL',
    { url: new URL('http://db/?token=URL%20TOKEN') },
    '/?token=URL%20TOKEN URL TOKEN',
    '/*** ***',
  ],
  ['a token', { credentials: { kind: 'bearer', token: 'THETOKEN' } as const }, 'THETOKEN?', '***?'],
])('what a receiver says is shown without %s', (_what, options, said, shown) => {
  expect(echoed(options, said)).toBe(shown);
});

it('and on one line, cut short', () => {
  expect(echoed({}, `a\n\tb\u0000${'x'.repeat(500)}`)).toBe(`a b ${'x'.repeat(196)}…`);
});
