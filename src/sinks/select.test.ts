import { describe, expect, it, test } from 'vitest';
import type { Label } from '../core/series.ts';
import { writeSeries } from '../core/series.ts';
import { compileSelect } from './select.ts';
import { readSelector } from './selector.ts';

const select = async (...texts: string[]) =>
  compileSelect({ key: 'k', texts, selectors: texts.map(readSelector) });
const series = (metric: string, labels: Readonly<Record<string, string>> = {}) =>
  writeSeries(
    metric,
    Object.entries(labels).map(([name, value]): Label => ({ name, value })),
  );
const API = series('deploys', { service: 'api-1', type: 'deploy' });

describe('a selection', () => {
  test.each([
    ['deploys', true],
    ['deploy', false],
    ['{type="deploy",service=~"api.*"}', true],
    ['{service=~"api"}', false],
    ['{service=~"pi-1"}', false],
    ['{service!~"web.*"}', true],
    ['{env=""}', true],
    ['{env!="prod"}', true],
    ['{env=~".+"}', false],
    ['{service=~"(?i)API-[[:digit:]]"}', true],
    ['{service=~"web|api-1"}', true],
    ['{__name__=~"dep.*"}', true],
  ])('matches as Prometheus does: %s is %s', async (text, has) => {
    const { has: tells } = await select(text);
    expect([tells(API), tells(API)]).toEqual([has, has]);
  });

  it('is of what any of its selectors matches', async () => {
    const { has } = await select('deploys', '{type="x"}');
    expect([API, series('a', { type: 'x' }), series('a', { type: 'y' })].map(has)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('has dots that are any character, and knows names in quotes', async () => {
    expect((await select('{a=~"x.y"}')).has(series('m', { a: 'x\ny' }))).toBe(true);
    expect((await select('{"a.b","c.d"="e"}')).has(series('a.b', { 'c.d': 'e' }))).toBe(true);
  });

  test.each([
    ['{a=~"("}', /^\[0\]: a: .*missing closing \).*RE2/],
    ['{a=~"(?=x)"}', /^\[0\]: a: .*RE2/],
    ['{a=~"a)(?s:b"}', /^\[0\]: a: /],
    ['{a=~"[a-z]{1000}[a-z]{1000}[a-z]{1000}[a-z]{1000}[a-z]{1000}[a-z]{1000}"}', /too large/],
  ])('that can not be used is refused with its place: %s', async (text, message) => {
    await expect(select(text)).rejects.toThrow(message);
  });

  it('takes linear time, whatever the expression', async () => {
    const { has } = await select('{a=~"(a+)+b"}', '{a=~"(a|aa|a?)*c"}', '{a=~"(.*)(.*)(.*)(.*)[x-z]"}');
    const began = performance.now();
    for (let n = 0; n < 20; n += 1) expect(has(series('m', { a: 'a'.repeat(20_000 + n) }))).toBe(false);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
