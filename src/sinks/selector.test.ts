import { describe, expect, it, test } from 'vitest';
import { SelectorError, readSelector } from './selector.ts';

const is = (name: string, value: string, operator = '=') => ({ name, operator, value });

describe('a selector', () => {
  test.each([
    ['deploys', [is('__name__', 'deploys')]],
    [' app:deploys { } ', [is('__name__', 'app:deploys')]],
    ['{type="deploy"}', [is('type', 'deploy')]],
    ['{ type = "a" , b != \'c\', }', [is('type', 'a'), is('b', 'c', '!=')]],
    ['deploys{a=~"x.*",b!~`y\\d`}', [is('__name__', 'deploys'), is('a', 'x.*', '=~'), is('b', 'y\\d', '!~')]],
    ['{"deploys.done","k8s.cluster"="x"}', [is('__name__', 'deploys.done'), is('k8s.cluster', 'x')]],
    ['{__name__=~"a|b"}', [is('__name__', 'a|b', '=~')]],
    ['{a="\\"\\\\\\n{,}="}', [is('a', '"\\\n{,}=')]],
    ['{a=""}', [is('a', '')]],
  ])('is read as PromQL has it: %s', (text, matchers) => {
    expect(readSelector(text)).toEqual(matchers);
  });

  test.each([
    ['', /ends where a metric name or \{/],
    ['{}', /selects everything/],
    ['{,a="b"}', /has ",a=\\"b\\"}" where a label name/],
    ['{a="b"', /ends where , or \}/],
    ['{a="b"}x', /where its end/],
    ['{a=b}', /where a value in quotes/],
    ['{a}', /where =, !=, =~ or !~/],
    ['{a:b="c"}', /where =, !=/],
    ['{a="b}', /where a value in quotes/],
    ['{a=~"x\\.y"}', /unknown escape sequence \\\.; write \\\\\./],
    ['rate(a[5m])', /where its end/],
    [`{${'a="b",'.repeat(21)}}`, /21 matchers; the limit is 20/],
  ])('that can not be read is refused: %s', (text, message) => {
    expect(() => readSelector(text)).toThrow(message);
  });

  it('is read in linear time', () => {
    const began = performance.now();
    for (const text of ['{a="', '{a="b"', '{a=`', '{"']) {
      expect(() => readSelector(text + '\\"'.repeat(50_000))).toThrow(SelectorError);
      expect(() => readSelector(text + ' '.repeat(100_000))).toThrow(SelectorError);
    }
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
