import { expect, it } from 'vitest';
import { descriptorLimit } from './descriptors.ts';

it('is the soft limit, where the system tells it', async () => {
  const limits =
    'Max processes  1  1  processes\nMax open files            1024     524288      files     \n';
  expect(await descriptorLimit(async () => limits)).toBe(1024);
  expect(await descriptorLimit(async () => 'Max open files   unlimited  unlimited  files')).toBeUndefined();
  expect(await descriptorLimit(() => Promise.reject(new Error('no such file')))).toBeUndefined();
});
