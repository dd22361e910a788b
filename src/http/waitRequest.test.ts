import { expect, test } from 'vitest';
import { mayWait } from './waitRequest.ts';

test.each([
  ['', false],
  ['type=deploy&service=api', false],
  ['await=1&waits=2&a=wait&b=%77ait', false],
  ['wait=delivered', true],
  ['a=1&wait', true],
  ['wait&a=1', true],
  ['%77ait=delivered', true],
  ['a=1&w%61it=delivered', true],
  ['%77%61%69%74', true],
  ['%C3%BC=1&%2577ait=1', false],
])('%j may ask for a wait: %s', (query, expected) => {
  expect(mayWait(query)).toBe(expected);
});

test('whether it does is told in time that grows with the query', () => {
  const began = performance.now();
  for (const text of ['?', '&', '=', 'wait', '&w', '&a?', 'a']) mayWait(text.repeat(200_000));
  expect(performance.now() - began).toBeLessThan(2_000);
});
