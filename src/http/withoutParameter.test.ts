import { describe, expect, it } from 'vitest';
import { withoutOf } from './withoutParameter.ts';

const of = (without: string | undefined) =>
  withoutOf(new Map(without === undefined ? [] : [['without', without]]));

describe('the parameter without', () => {
  it.each([
    [undefined, []],
    ['', []],
    [' , ', []],
    ['pod', ['pod']],
    ['pod,instance', ['instance', 'pod']],
    ['instance, pod,instance', ['instance', 'pod']],
    ['job', ['job']],
  ])('%j is %j', (given, names) => {
    expect(of(given)).toEqual(names);
  });

  it.each(['a-b', '1a', '__name__', '__address__', 'a.b', 'a b', 'é', 'a"b', 'pod,a\nb'])(
    '%j is refused',
    (given) => {
      expect(() => of(given)).toThrow(/^without .* is not a valid label name of a target/);
    },
  );

  it('is bounded in number and length', () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => `l${i}`).join(',');
    expect(of(names(16))).toHaveLength(16);
    expect(() => of(names(17))).toThrow('without names 17 labels; name at most 16');
    expect(of('a'.repeat(256))).toHaveLength(1);
    expect(() => of('a'.repeat(257))).toThrow('is longer than 256 characters');
  });
});
