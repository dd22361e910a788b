import { expect, test } from 'vitest';
import { interned, ownCopy } from './keptText.ts';

const TEXTS = ['', 'x', '7', '__proto__', 'a text of more than a dozen characters', 'é\u{1f600}\n'];

test.each(TEXTS)('what is kept of %j is the same text', (text) => {
  expect(ownCopy(text)).toBe(text);
  expect(interned(text)).toBe(text);
});
