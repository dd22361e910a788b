import { expect, it } from 'vitest';
import { RefusedError } from '../../src/core/errors.ts';
import { readEach } from '../../src/read/jsonEvents.ts';

it('an error of a sender costs no stack, and leaves others theirs: one body may make a hundred thousand', () => {
  expect(new RefusedError('a', 'a is wrong').at('[1]').stack).not.toContain('\n');
  expect(new Error('of a programmer').stack).toContain('\n');
});

it('what stands behind the first wrong event of an array is not read where nobody asks for it', () => {
  let read = 0;
  const reads = readEach(['', '', ''], () => {
    read += 1;
    throw new RefusedError('body', 'no event');
  });
  expect(reads.next().value).toBeInstanceOf(RefusedError);
  expect(read).toBe(1);
});
