import { describe, expect, it } from 'vitest';
import { parseJson } from '../json.ts';
import { digestOf } from './digest.ts';

const of = (text: string) => digestOf(parseJson(text));

describe('the digest of a JSON value', () => {
  it('has 16 digits, and does not depend on the order of members or on blanks', () => {
    expect(of('{"a":1,"b":[true,null]}')).toMatch(/^[0-9a-f]{16}$/);
    expect(of('{ "b": [true, null], "a": 1 }')).toBe(of('{"a":1,"b":[true,null]}'));
  });

  it('differs wherever two values do', () => {
    const texts = [
      '{}',
      '[]',
      '""',
      'null',
      '"null"',
      '1',
      '"1"',
      '1.0',
      '[1]',
      '[[1]]',
      '[1,2]',
      '[12]',
      '[2,1]',
    ];
    texts.push(
      '{"a":"b"}',
      '{"ab":""}',
      '{"a":{"b":"c"}}',
      '{"a":{},"b":"c"}',
      '["a","b"]',
      '{"a":null}',
      '["{0"]',
    );
    expect(new Set(texts.map((text) => of(text))).size).toBe(texts.length);
  });
});

it('the digests of many values that differ in little are all different', () => {
  const digests = new Set<string>();
  for (let n = 0; n < 50_000; n += 1)
    digests.add(digestOf({ name: 'shop', n: String(n), text: 'x'.repeat(n % 50) }));
  for (let n = 0; n < 500; n += 1) digests.add(digestOf('x'.repeat(n)));
  expect(digests.size).toBe(50_500);
});
