import { expect, it } from 'vitest';
import { accessOf, isPosting } from './routeAccess.ts';

it('a request asks for what its row says, whatever its method', () => {
  expect(accessOf('POST', { access: 'open' })).toBe('open');
  expect(accessOf('GET', { access: 'admin' })).toBe('admin');
});

it('and counts as a post where its row says so', () => {
  expect(isPosting('POST', { limits: 'none' })).toBe(false);
  expect(isPosting('GET', { limits: 'posts' })).toBe(true);
});

it.each([
  ['POST', 'write', true],
  ['PUT', 'write', true],
  ['PATCH', 'write', true],
  ['DELETE', 'admin', false],
  ['GET', 'any', false],
  ['HEAD', 'any', false],
  ['OPTIONS', 'any', false],
  ['FROBNICATE', 'any', false],
])('without a row, %s asks for %s, and counts as a post: %s', (method, access, counts) => {
  expect([accessOf(method, undefined), isPosting(method, undefined)]).toEqual([access, counts]);
});
