import { describe, expect, it } from 'vitest';
import { parsePointer, resolve } from './pointer.ts';

const at = (pointer: string, document: unknown) => resolve(parsePointer('field', pointer), document);

describe('a JSON pointer', () => {
  // The document and the results of https://www.rfc-editor.org/rfc/rfc6901#section-5, without what a text in braces can't hold.
  const document = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'g|h': 4,
    ' ': 7,
    'm~n': 8,
  };

  it.each([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%j points at what the RFC says', (pointer, value) => {
    expect(at(pointer, document)).toEqual(value);
  });

  it.each([
    '/foo/2',
    '/foo/-',
    '/foo/00',
    '/foo/length',
    '/foo/0/0',
    '/nope',
    '/nope/nope',
    '/constructor',
    '/__proto__/x',
  ])('%j points at nothing', (pointer) => {
    expect(at(pointer, document)).toBeUndefined();
  });

  it('points at a member that is called __proto__ as at any other', () => {
    expect(at('/__proto__/x', JSON.parse('{"__proto__":{"x":1}}'))).toBe(1);
  });

  it('unescapes ~01 to ~1', () => {
    expect(at('/~01', { '~1': 'x' })).toBe('x');
  });

  it.each([
    ['a', 'field "a" is not a JSON pointer'],
    ['/a~2', 'field "/a~2" is not a JSON pointer'],
    ['/a~', 'field "/a~" is not a JSON pointer'],
    ['/a'.repeat(33), 'is longer than 32 names or 512 characters'],
    [`/${'a'.repeat(512)}`, 'is longer than 32 names or 512 characters'],
  ])('is refused when it is %j', (pointer, message) => {
    expect(() => parsePointer('field', pointer)).toThrow(message);
  });
});
