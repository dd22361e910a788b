import { expect, it } from 'vitest';
import { PushError } from './pushError.ts';
import { sealJson } from './event.ts';

const NOW = 1_700_000_000_123;
const seal = (json: string, labels = {}) => sealJson(json, labels, { now: () => NOW, randomId: () => 'r' });

it('an event that is JSON keeps its text, and gets an id and a time where it has none', () => {
  const json = ' {"labels":{"v":1.10,"a":"1","a":"2"}}\t';
  expect(seal(json, { 'a b': 'ü&' })).toEqual({
    id: 'r',
    time: NOW,
    json,
    query: 'a%20b=%C3%BC%26&__timestamp__=2023-11-14T22%3A13%3A20.123Z',
    hasOwnId: false,
  });
});

it.each([
  ['{"timestamp":1700000000}', 1_700_000_000_000],
  ['{"timestamp":"1700000000.5"}', 1_700_000_000_500],
  ['{"timestamp":1700000000123}', 1_700_000_000_123],
  ['{"timestamp":"2023-11-14T22:13:20Z"}', 1_700_000_000_000],
  // The server refuses these; until then they have a place among the others.
  ['{"timestamp":"noon"}', NOW],
  ['{"timestamp":null}', NOW],
  ['{"timestamp":-1}', NOW],
])('its own time is not said again: %s', (json, time) => {
  expect(seal(json)).toMatchObject({ time, query: '' });
});

it.each([
  ['{"id":"a"}', 'a', true],
  ['{"id":17}', '17', true],
  ['{"id":"a\\u001b"}', 'a?', true],
  ['{"id":{}}', 'r', true],
  ['{"name":"id"}', 'r', false],
  ['\ufeff{"id":"a"}', 'a', true],
])('its own id is not said again: %j', (json, id, hasOwnId) => {
  expect(seal(json)).toMatchObject({ id, hasOwnId, json });
});

it.each(['', '{', '[]', 'null', '1', '"x"', '{"a":01}'])('what is no JSON object is none: %j', (json) => {
  expect(() => seal(json)).toThrow(PushError);
});
