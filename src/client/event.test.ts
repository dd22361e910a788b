import { describe, expect, it } from 'vitest';
import type { NewEvent } from './event.ts';
import { seal } from './event.ts';

const platform = { now: () => 1_700_000_000_123, randomId: () => 'id-1' };
const sealed = (event: NewEvent) => seal(event, platform);

describe('a sealed event', () => {
  it('has its id and its time from the moment on that it is made', () => {
    expect(sealed({ labels: { type: 'deploy', ok: true, port: 80 } })).toEqual({
      id: 'id-1',
      time: 1_700_000_000_123,
      form: 'type=deploy&ok=true&port=80&__timestamp__=2023-11-14T22%3A13%3A20.123Z',
    });
  });

  it('carries what its sender says', () => {
    const event = {
      name: 'deploys',
      value: 2.5,
      timestamp: new Date(1_000.9),
      id: 'a b',
      labels: { m: 'ü&=\n' },
    };
    expect(sealed(event)).toEqual({
      id: 'a b',
      time: 1_000,
      form: 'm=%C3%BC%26%3D%0A&__name__=deploys&value=2.5&__timestamp__=1970-01-01T00%3A00%3A01.000Z',
    });
  });

  it.each([
    [Infinity, '%2BInf'],
    [-Infinity, '-Inf'],
    [Number.NaN, 'NaN'],
    [-0, '-0'],
    [1e-7, '1e-7'],
  ])('writes the value %s as Prometheus does', (value, text) => {
    expect(sealed({ value }).form).toMatch(new RegExp(`^value=${text}&`));
  });

  it('survives JSON unchanged', () => {
    const event = sealed({ value: Number.NaN, labels: { a: 'b' } });
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  });
});

describe('what can not be sent is refused before it is sent', () => {
  it.each<[string, NewEvent, string]>([
    ['an empty id', { id: '' }, 'id'],
    ['an id that no header carries', { id: 'ü' }, 'id'],
    ['an id that a header would cut', { id: ' a' }, 'id'],
    ['an id that is too long', { id: 'x'.repeat(257) }, 'id'],
    ['a label that would be the value', { labels: { value: '3' } }, 'value'],
    ['a label that would be the name', { labels: { __name__: 'up' } }, '__name__'],
    ['a label that would be the time', { labels: { __timestamp__: '1' } }, '__timestamp__'],
    ['half of a surrogate pair', { labels: { a: '\ud800' } }, 'a'],
    ['a time that is none', { timestamp: new Date('no') }, 'timestamp'],
    ['a time before the epoch', { timestamp: -1 }, 'timestamp'],
  ])('%s', (_what, event, field) => {
    expect(() => sealed(event)).toThrow(
      expect.objectContaining({ name: 'PushError', reason: 'invalid', field }),
    );
  });

  it('but a label may be called as a part of Object is', () => {
    expect(sealed({ labels: { constructor: 'a' } }).form).toMatch(/^constructor=a&/);
  });
});
