import { expect, it } from 'vitest';
import { openWarning } from './openWarning.ts';

it.each([
  ['0.0.0.0', 'this machine'],
  ['::', 'this machine'],
  ...['192.0.2.1', '2001:db8::1', '128.0.0.1', '::ffff:10.0.0.1'].map((each) => [each, each] as const),
] as const)('an open server says so on %s, which others reach', (address, where) => {
  expect(openWarning(true, address)).toContain(`anyone who can reach ${where} can post, scrape and delete`);
});

it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('and not on %s', (address) => {
  expect(openWarning(true, address)).toBeUndefined();
});

it('a server that asks for credentials has nothing to say', () => {
  expect(openWarning(false, '0.0.0.0')).toBeUndefined();
});
