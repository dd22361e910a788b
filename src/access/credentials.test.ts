import { expect, it } from 'vitest';
import { readCredential } from './credentials.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

it.each([
  [undefined, { kind: 'none' }],
  [basic('a:b'), { kind: 'basic', user: 'a', password: 'b' }],
  [basic('ü:p:w:').replace('Basic', 'bAsIc '), { kind: 'basic', user: 'ü', password: 'p:w:' }],
  [basic(':'), { kind: 'basic', user: '', password: '' }],
  ['Bearer abc_-.~+/=', { kind: 'bearer', token: 'abc_-.~+/=' }],
  ['bearer  abc', { kind: 'bearer', token: 'abc' }],
  [basic('nocolon'), { kind: 'unreadable' }],
  ['Basic ****', { kind: 'unreadable' }],
  ['Basic', { kind: 'unreadable' }],
  ['Bearer a b', { kind: 'unreadable' }],
  ['Digest x', { kind: 'unreadable' }],
  ['', { kind: 'unreadable' }],
])('%j is %j', (header, credential) => {
  expect(readCredential(header)).toEqual(credential);
});
