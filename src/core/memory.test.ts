import { describe, expect, it } from 'vitest';
import { TooLargeError, UnavailableError } from './errors.ts';
import { HOLDERS, Share, divideMemory, textBytes } from './memory.ts';

describe('a share', () => {
  it('is taken up to the last byte, and no further', () => {
    const share = new Share(10);
    expect([share.take(4), share.take(6), share.take(1)]).toEqual([true, true, false]);
    expect([share.held, share.room, share.refused]).toEqual([10, 0, 1]);
    share.give(6);
    expect([share.take(7), share.take(6)]).toEqual([false, true]);
  });

  it('is gone beyond by what must go on; there is no room then, and never less than none', () => {
    const share = new Share(10);
    share.force(25);
    expect([share.held, share.room]).toEqual([25, 0]);
  });
});

describe('a claim', () => {
  it('gives everything back at once, and counts nothing that is taken after it', () => {
    const share = new Share(10);
    const claim = share.claim();
    claim.take(3);
    claim.take(4);
    expect(share.held).toBe(7);
    claim[Symbol.dispose]();
    claim.take(5);
    claim.force(5);
    claim[Symbol.dispose]();
    expect([share.held, claim.held]).toEqual([0, 0]);
  });

  it('is refused for now where others hold what it needs', () => {
    const share = new Share(10);
    share.claim().take(6);
    expect(() => share.claim().take(5)).toThrow(UnavailableError);
    expect(share.held).toBe(6);
  });

  it('gives back what it holds when it is refused, so that of two who need more than half each one gets it', () => {
    const share = new Share(10);
    const [first, second] = [share.claim(), share.claim()];
    first.take(4);
    second.take(5);
    expect(() => first.take(3)).toThrow(UnavailableError);
    second.take(3);
    expect(share.held).toBe(8);
  });

  it('is too large where it alone needs more than there is', () => {
    const claim = new Share(10).claim();
    claim.take(6);
    expect(() => claim.take(5)).toThrow(TooLargeError);
    expect(() => claim.take(5)).toThrow(/10 bytes .* raise memory.max/);
  });

  it('is granted where somebody gives way', () => {
    const share = new Share(10);
    const other = share.claim();
    other.take(8);
    share.makeRoom = () => {
      if (other.held === 0) return false;
      other[Symbol.dispose]();
      return true;
    };
    const claim = share.claim();
    claim.take(9);
    expect(share.held).toBe(9);
    expect(() => share.claim().take(2)).toThrow(UnavailableError);
  });

  it('takes a part of what is left, so that those who come after it get one, too', () => {
    const share = new Share(64);
    const parts = [share.claim().takePart(100), share.claim().takePart(100), share.claim().takePart(3)];
    expect(parts).toEqual([16, 12, 3]);
    expect(share.claim().takePart(100, 33)).toBe(0);
  });

  it('is put right once it is known what is needed', () => {
    const share = new Share(64);
    const claim = share.claim();
    claim.takePart(100);
    claim.resize(5);
    expect([share.held, claim.held]).toEqual([5, 5]);
  });
});

it('memory is divided without a byte too many, with a part for a log only where it is in memory', () => {
  for (const isLogInMemory of [true, false]) {
    const memory = divideMemory(1_000_003, isLogInMemory);
    const sum = HOLDERS.reduce((all, holder) => all + memory[holder].bytesMax, 0);
    expect(sum).toBeLessThanOrEqual(1_000_003);
    expect(sum).toBeGreaterThan(999_990);
    expect(memory.log.bytesMax > 0).toBe(isLogInMemory);
  }
});

it('a text costs two bytes for each unit: a wide one may be that', () => {
  expect(textBytes('я'.repeat(100))).toBe(textBytes('a'.repeat(100)));
  expect(textBytes('я'.repeat(100))).toBeGreaterThanOrEqual(200);
});
