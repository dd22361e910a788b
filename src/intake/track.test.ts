import { describe, expect, test } from 'vitest';
import { millis } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';
import { Batch, Track } from './track.ts';

const RULES = { pulseWidthMs: 60, ageMaxMs: 1_000, aheadMaxMs: 100 };
const SERIES = 'e' as SeriesText;

/** A series whose pulse at 100 is in the log. */
const known = () => new Track(SERIES, millis(100), false);

function placed(track: Track, time: number, ended = false): Batch {
  const batch = new Batch();
  track.place(millis(time), ended, batch, RULES);
  return batch;
}

/** Takes a batch back. Tells what that changed: whether the series has a pulse, or nothing. */
function undone(batch: Batch): boolean[] {
  const changed: boolean[] = [];
  batch.undo((_track, hasPulse) => changed.push(hasPulse));
  return changed;
}

describe('what a full disk refuses', () => {
  test('leaves the pulse that is in the log', () => {
    const track = known();
    const batch = placed(track, 150);
    expect(track.time).toBe(150);
    expect(undone(batch)).toEqual([true]);
    expect(track).toMatchObject({ time: 100, ended: false });
  });

  test('leaves nothing of a series that it was the first of', () => {
    const batch = new Batch();
    new Track(SERIES, millis(100), false).begin(batch);
    expect(undone(batch)).toEqual([false]);
  });

  test('leaves what was placed on top of it, and below that what got into the log', () => {
    const track = known();
    const [first, second, third] = [placed(track, 110), placed(track, 120), placed(track, 130)];
    first.written();
    expect(undone(second)).toEqual([]);
    expect(track.time).toBe(130);
    expect(undone(third)).toEqual([true]);
    expect(track.time).toBe(110);
  });

  test('changes nothing where a later one is in the log already', () => {
    const track = known();
    const [first, second] = [placed(track, 110), placed(track, 120)];
    second.written();
    expect(undone(first)).toEqual([]);
    expect(undone(placed(track, 130))).toEqual([true]);
    expect(track.time).toBe(120);
  });

  test('is all that a batch placed in the series', () => {
    const track = known();
    const batch = placed(track, 110);
    track.place(millis(120), false, batch, RULES);
    undone(batch);
    expect(track.time).toBe(100);
  });
});

describe('the end of a pulse in the log', () => {
  const other = new Batch();

  test('is on its way with an event beyond it, until that is in the log or refused', () => {
    for (const settle of [(batch: Batch) => batch.written(), undone]) {
      const track = known();
      const batch = placed(track, 161);
      placed(track, 162);
      expect(track.endOnItsWay(other, RULES)?.time).toBe(100);
      settle(batch);
      expect(track.endOnItsWay(other, RULES)?.time).toBe(settle === undone ? 100 : undefined);
    }
  });

  test('is on its way with an event that comes to lie beyond it, since the one between them was refused', () => {
    const track = known();
    const within = placed(track, 160);
    placed(track, 220);
    placed(track, 221);
    expect(track.endOnItsWay(other, RULES)).toBeUndefined();
    undone(within);
    expect(track.endOnItsWay(other, RULES)?.time).toBe(100);
  });

  test('is not on its way with an event within it, nor for the batch that brings it', () => {
    const track = known();
    placed(track, 160);
    expect(track.endOnItsWay(other, RULES)).toBeUndefined();
    const batch = placed(track, 100, true);
    expect(track.endOnItsWay(batch, RULES)).toBeUndefined();
  });

  test('is on its way by itself', () => {
    const track = known();
    placed(track, 100, true);
    expect(track.endOnItsWay(other, RULES)?.time).toBe(100);
  });
});
