import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventIdOf, readEventId } from './eventId.ts';
import { millis } from './millis.ts';
import { offset } from './offset.ts';

const AN_ID = eventIdOf(offset(17), millis(1_700_000_000_000));

test('an event id is short, fits into a path as it is, and says where its event is', () => {
  expect(AN_ID).toBe('e17-loyw3v28');
  expect(encodeURIComponent(AN_ID)).toBe(AN_ID);
  expect(readEventId(AN_ID)).toEqual({ offset: 17, arrived: 1_700_000_000_000 });
});

test('every event id is read as it was made', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.nat(4_000_000_000_000),
      (place, time) => {
        fc.pre(time > 0);
        const id = eventIdOf(offset(place), millis(time));
        expect(readEventId(id)).toEqual({ offset: place, arrived: time });
      },
    ),
  );
});

test.each([
  '',
  'e',
  'e17',
  'e017-loyw3v28',
  'e17-0loyw3v28',
  'E17-loyw3v28',
  `${AN_ID} `,
  'e0-loyw3v28',
  'deploy-42',
  'e9007199254740993-loyw3v28',
  'e1-zzzzzzzzzzz',
])('%j is no event id', (text) => {
  expect(readEventId(text)).toBeUndefined();
});
