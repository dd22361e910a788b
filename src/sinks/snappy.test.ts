import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snappyDecode } from '../../test/support/remoteRead.ts';
import { snappy } from './snappy.ts';

const roundTrip = (bytes: Uint8Array) => snappyDecode(Buffer.from(snappy(bytes)));

describe('snappy', () => {
  it('gives back whatever it compressed', () => {
    const parts = fc.uint8Array({ minLength: 1, maxLength: 90 });
    // Made of few parts, so that there is something to copy, near and far.
    const bytes = fc.tuple(
      fc.array(parts, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(5), { maxLength: 300 }),
    );
    fc.assert(
      fc.property(bytes, ([some, order]) => {
        const all = Buffer.concat(order.map((n) => some[n % some.length] ?? new Uint8Array()));
        expect(roundTrip(all).equals(all)).toBe(true);
      }),
    );
  });

  it.each([0, 1, 3, 4, 60, 61, 256, 257, 65_535, 65_536, 65_537, 200_000])(
    'takes %i bytes of any kind',
    (length) => {
      const same = Buffer.alloc(length, 'a');
      const different = Buffer.from(Array.from({ length }, (_, i) => (i * i * 31 + (i >>> 3)) & 0xff));
      for (const bytes of [same, different]) expect(roundTrip(bytes).equals(bytes)).toBe(true);
    },
  );

  it('makes a request of many similar series several times smaller', () => {
    const text = Array.from(
      { length: 5_000 },
      (_, n) => `events_to_metrics service api type deploy n ${n} `,
    ).join('');
    expect(snappy(Buffer.from(text)).length).toBeLessThan(text.length / 3);
  });
});
