import { describe, expect, it } from 'vitest';
import { identify, placeOf } from './identify.ts';
import { TrustedProxies } from './proxies.ts';

describe("a user's place", () => {
  it.each([
    ['alice', undefined, 'alice'],
    ['alice', 'alice', 'alice'],
    ['alice', 'a', 'alice/a'],
    ['alice', 'alice/a', 'alice/a'],
    ['alice', 'bob', 'alice/bob'],
    ['alice', 'alicia', 'alice/alicia'],
    ['alice', '/bob', 'alice//bob'],
    ['alice', '../bob', 'alice/../bob'],
    // Names that hold the separator never meet the places of others.
    ['alice/a', undefined, 'alice%2Fa'],
    ['alice', '%2Fa', 'alice/%2Fa'],
    ['alice%2Fa', undefined, 'alice%252Fa'],
    ['', 'alice', '/alice'],
  ])('of %j who names %j is %j', (user, named, place) => {
    expect(placeOf(user, named)).toBe(place);
  });

  it('lies below its own name for every user, and below nobody else’s', () => {
    const users = ['a', 'a/b', 'a%2Fb', 'a%', 'b', ''];
    const named = [undefined, 'a', 'a/b', 'b', 'a%2Fb', '/b', ''];
    const owners = new Map<string, string>();
    for (const user of users)
      for (const name of named) {
        const place = placeOf(user, name);
        expect(owners.get(place) ?? user, place).toBe(user);
        owners.set(place, user);
      }
  });
});

describe('an id that is a variable which nobody has replaced is none', () => {
  const proxies = new TrustedProxies([]);
  const ofParameter = (scraper: string, user?: string) =>
    identify('10.0.0.1', {}, new Map([['scraper', scraper]]), proxies, user);

  it.each([
    '$(POD_NAME)',
    '${POD_NAME}',
    '$POD_NAME',
    '%{POD_NAME}',
    '{{ .PodName }}',
    '{{pod}}',
    'prometheus-$(POD_NAME)',
    'monitoring/${POD_NAME}',
  ])('%s', (id) => {
    expect(ofParameter(id)).toEqual({
      id: '10.0.0.1',
      identifiedBy: 'address',
      address: '10.0.0.1',
      isVariable: true,
    });
    expect(ofParameter(id, 'alice')).toMatchObject({ id: 'alice', identifiedBy: 'user', isVariable: true });
  });

  it.each(['prometheus-k8s-0', 'a$b', '$', '$1', 'cost($)', '{a}', '50%', 'a{{b'])('%s is one', (id) => {
    expect(ofParameter(id)).toEqual({ id, identifiedBy: 'parameter', address: '10.0.0.1' });
  });

  it('and the parameter counts where the header is one', () => {
    const headers = { 'x-scraper-id': '$(POD_NAME)' };
    expect(identify('10.0.0.1', headers, new Map([['scraper', 'a']]), proxies)).toMatchObject({
      id: 'a',
      identifiedBy: 'parameter',
      isVariable: true,
    });
  });

  it('is told apart in little time', () => {
    const long = '$('.repeat(50_000);
    const began = performance.now();
    expect(() => ofParameter(long)).toThrow('is not a scraper id');
    expect(performance.now() - began).toBeLessThan(500);
  });
});

it('a place that is no id is refused, and names the field', () => {
  const proxies = new TrustedProxies([]);
  const long = 'x'.repeat(120);
  expect(() => identify('10.0.0.1', {}, new Map([['scraper', long]]), proxies, 'alice-and-bob')).toThrow(
    'scraper "alice-and-bob/xxx',
  );
});
