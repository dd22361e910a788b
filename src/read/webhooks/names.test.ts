import { describe, expect, it } from 'vitest';
import type { EventNames } from '../../core/labels.ts';
import { labelName } from '../../core/labels.ts';
import { labelNamesOf } from './names.ts';

const TAKEN = new Set(['type', 'status']);
const LIMITS = {
  labelsMax: 64,
  labelNameBytesMax: 64,
  labelValueBytesMax: 4096,
  idBytesMax: 64,
  seriesBytesMax: 8192,
};

function named(raws: readonly string[], names: EventNames = 'legacy'): Record<string, string> {
  const given = labelNamesOf(raws, { names, bytesMax: 64, taken: TAKEN, prefix: 'alert_' });
  expect(given).toHaveLength(raws.length);
  return Object.fromEntries(raws.map((raw, at) => [raw, given[at] as string]));
}

describe('names that a sender gave', () => {
  it('keep what they are written with, as far as Prometheus takes it', () => {
    expect(named(['severity', 'k8s.io/zone', '1st', '__secret__', 'ü', 'type', 'a b'])).toEqual({
      severity: 'severity',
      'k8s.io/zone': 'k8s_io_zone',
      '1st': '_1st',
      __secret__: '_secret__',
      ü: '_',
      type: 'alert_type',
      'a b': 'a_b',
    });
  });

  it('never become a reserved name', () => {
    expect(named(['环境'])).toEqual({ 环境: '_' });
    expect(named(['__'])).toEqual({ __: '_' });
    expect(named(['-_name'])).toEqual({ '-_name': '_name' });
  });

  it('that would be one are told apart, and the one that is written so keeps it', () => {
    expect(named(['host.name', 'host_name'])).toEqual({
      'host.name': expect.stringMatching(/^host_name_[0-9a-f]{8}$/) as string,
      host_name: 'host_name',
    });
    expect(named(['type', 'alert_type'])).toEqual({
      type: expect.stringMatching(/^alert_type_[0-9a-f]{8}$/) as string,
      alert_type: 'alert_type',
    });
    const both = named(['环境', '地区']);
    expect(both).toEqual({
      环境: expect.stringMatching(/^_[0-9a-f]{8}$/) as string,
      地区: expect.stringMatching(/^_[0-9a-f]{8}$/) as string,
    });
    expect(both['环境']).not.toBe(both['地区']);
  });

  it('are the same in any order', () => {
    const raws = ['a.b', 'a-b', 'a_b', 'type', 'alert_type', 'alert.type', '环境', '地区', '__', '_'];
    const first = named(raws);
    expect(new Set(Object.values(first)).size).toBe(raws.length);
    expect(named(raws.toReversed())).toEqual(first);
    expect(named([...raws.slice(4), ...raws.slice(0, 4)])).toEqual(first);
    // A name beside them changes none of them.
    expect(named(['other', ...raws])).toMatchObject(first);
  });

  it('give way to one that is written as another would become', () => {
    const { 'a.b': suffixed } = named(['a.b', 'a_b']);
    const all = named(['a.b', 'a_b', suffixed as string]);
    expect(all[suffixed as string]).toBe(suffixed);
    expect(new Set(Object.values(all)).size).toBe(3);
  });

  it('stay where UTF-8 is taken, but for NUL and what no text may hold', () => {
    expect(named(['环境', 'host.name', 'a b', '__x'], 'utf8')).toEqual({
      环境: '环境',
      'host.name': 'host.name',
      'a b': 'a b',
      __x: '_x',
    });
    expect(named(['a\0b', 'type', '\ud800'], 'utf8')).toEqual({
      'a\0b': 'a_b',
      type: 'alert_type',
      '\ud800': '\ufffd',
    });
  });

  it.each(['legacy', 'utf8'] as const)('are names that an event takes, whatever they are: %s', (names) => {
    const raws = [
      '',
      '_',
      '__',
      '___',
      '1',
      '-',
      '\0',
      '\ud800',
      '\udc00',
      'ü'.repeat(300),
      `x${'y'.repeat(300)}`,
    ];
    raws.push(
      `x${'y'.repeat(299)}z`,
      'a.b',
      'a-b',
      'a/b',
      'a_b',
      'type',
      'alert_type',
      'status',
      '__name__',
      'name__',
    );
    const own = raws.filter((raw) => raw !== '');
    const given = Object.values(named(own, names));
    expect(new Set(given).size).toBe(own.length);
    for (const name of given) expect(labelName(name, LIMITS, names)).toBe(name);
  });
});
