import { expect, test } from 'vitest';
import { ownCopy } from './ownCopy.ts';

test.each(['', 'x', 'a text of more than a dozen characters', 'é\u{1f600}\n'])(
  'a copy of %j is the same text',
  (text) => {
    expect(ownCopy(text)).toBe(text);
  },
);
