import { expect, it } from 'vitest';
import { allows, readUserScopes } from './scopes.ts';

it('admin is everything, the others are only themselves', () => {
  expect(allows(new Set(['admin']), 'write')).toBe(true);
  expect(allows(new Set(['scrape']), 'scrape')).toBe(true);
  expect(allows(new Set(['scrape', 'write']), 'admin')).toBe(false);
});

it('users get one scope or several; a name may hold an equals sign', () => {
  expect(readUserScopes(['prometheus=scrape', 'ci=write+scrape', 'a=b=admin'])).toEqual(
    new Map([
      ['prometheus', new Set(['scrape'])],
      ['ci', new Set(['write', 'scrape'])],
      ['a=b', new Set(['admin'])],
    ]),
  );
});

it.each([
  [['a'], 'must be name=scope'],
  [['=write'], 'must be name=scope'],
  [['a=read'], 'item 1: unknown scope'],
  [['a='], 'item 1: unknown scope'],
  [['a=write', 'a=scrape'], 'item 2 lists a user twice'],
])('%j is refused', (items, message) => {
  expect(() => readUserScopes(items)).toThrow(message);
});
