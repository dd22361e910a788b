import { expect, it } from 'vitest';
import { Sightings } from './sightings.ts';

function sightings() {
  const warned: string[] = [];
  const seen = new Sightings((id, warning) => warned.push(`${id} ${warning}`));
  const note = (
    connection: number,
    askedAt = 0,
    change: { showsEnds?: boolean; throughProxy?: boolean; isVariable?: boolean } = {},
  ) =>
    seen.note('a', {
      askedAt,
      mode: 'timed',
      format: 'protobuf',
      showsEnds: false,
      throughProxy: false,
      isVariable: false,
      connection,
      ...change,
    });
  return { seen, note, warned };
}

it('one that changes its connection now and then is no two', () => {
  const { note, warned } = sightings();
  for (const connection of [1, 1, 2, 2, 3, 4, 5, 6, 7]) note(connection);
  expect(warned).toEqual([]);
});

it('one that goes back to a connection it had left shares its id, and is warned of once', () => {
  const { seen, note, warned } = sightings();
  for (const connection of [1, 2, 1, 2, 1, 2]) note(connection);
  expect(warned).toEqual(['a shared_id']);
  expect([...(seen.of('a')?.warnings ?? [])]).toEqual(['shared_id']);
});

it('one behind an HTTP proxy is warned of once', () => {
  const { note, warned } = sightings();
  note(1, 0, { throughProxy: true });
  note(1, 0, { throughProxy: true });
  expect(warned).toEqual(['a http_proxy']);
});

it('one that named itself by a variable is warned of once', () => {
  const { note, warned } = sightings();
  for (const isVariable of [false, true, true]) note(1, 0, { isVariable });
  expect(warned).toEqual(['a unexpanded_id']);
});

it('tells the usual interval, whatever a single scrape did', () => {
  const { seen, note } = sightings();
  note(1, 0);
  expect(seen.of('a')?.intervalMs).toBeUndefined();
  for (const at of [1_000, 2_000, 3_000, 9_000, 10_000]) note(1, at);
  expect(seen.of('a')?.intervalMs).toBe(1_000);
});

it('ends are shown while somebody shows them', () => {
  const { seen, note } = sightings();
  expect(seen.endsShown).toBe(false);
  note(1, 0, { showsEnds: true });
  expect(seen.endsShown).toBe(true);
  seen.forget('a');
  expect(seen.endsShown).toBe(false);
  expect(seen.of('a')).toBeUndefined();
});
