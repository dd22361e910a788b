import { describe, expect, it } from 'vitest';
import { IdPlaces } from './idPlaces.ts';

/** Fingerprints of which many begin or end alike, as those of hashes do not. */
const printOf = (place: number) => (place % 3 === 0 ? 7 : (place * 2_654_435_761) >>> 0);

/** Places from one to another, each of which has an id. */
function filled(from: number, to: number) {
  const places = new IdPlaces();
  for (let place = from; place <= to; place += 1) places.add(printOf(place), place);
  return places;
}

describe('the places of ids', () => {
  it('are found, all of them, however many there are', () => {
    const places = new IdPlaces();
    const step = 7;
    for (let place = 1; place < 300_000 * step; place += step)
      places.add((place * 2_654_435_761) >>> 0, place);
    for (let place = 1; place < 300_000 * step; place += step * 101)
      expect(places.find((place * 2_654_435_761) >>> 0, (at) => at === place)).toBe(place);
  });

  it('are told one after the other where several have one fingerprint', () => {
    const places = filled(1, 30);
    const told: number[] = [];
    expect(places.find(7, (place) => void told.push(place) as never)).toBeUndefined();
    expect(told).toEqual([3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
    expect(places.find(7, (place) => place === 12)).toBe(12);
  });

  it('are as large as numbers may be, and as far apart', () => {
    const places = new IdPlaces();
    const all = [1, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER];
    for (const place of all) places.add(5, place);
    for (const place of all) expect(places.find(5, (at) => at === place)).toBe(place);
  });

  it('may be added a second time, as after a transaction that was rolled back', () => {
    const places = filled(1, 70_000);
    for (let place = 60_000; place <= 80_000; place += 1) places.add(printOf(place), place);
    for (const place of [1, 59_999, 60_000, 65_537, 70_000, 80_000])
      expect(places.find(printOf(place), (at) => at === place)).toBe(place);
  });

  it('are forgotten once all that were added with them may be', () => {
    const places = filled(1, 200_000);
    places.forgetBefore(150_001);
    const isThere = (place: number) => places.find(printOf(place), (at) => at === place) !== undefined;
    expect([1, 60_001, 150_001, 199_999].map(isThere)).toEqual([false, false, true, true]);
    places.forgetBefore(200_001);
    expect([150_001, 199_999].map(isThere)).toEqual([false, false]);
  });
});
