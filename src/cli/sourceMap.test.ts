import { describe, expect, it } from 'vitest';
import { originsOf } from './sourceMap.ts';

describe('a source map', () => {
  // Line 1: column 1 is a.ts:1:1, column 5 b.ts:3:7, and column 9 nowhere. Line 2 has no segment, line 3 begins with the place after the last.
  const map = { sources: ['a.ts', 'b.ts'], mappings: 'AAAA,ICEM,I;;AADN' };
  const origin = (line: number, column: number) => originsOf(map, [{ line, column }])[0];

  it('says where a place comes from', () => {
    expect(origin(1, 1)).toBe('a.ts:1:1');
    expect(origin(1, 5)).toBe('b.ts:3:7');
    expect(origin(3, 1)).toBe('b.ts:2:1');
  });

  it('knows of a place between two what it knows of the first', () => {
    expect(origin(1, 4)).toBe('a.ts:1:1');
    expect(origin(1, 8)).toBe('b.ts:3:7');
    expect(origin(3, 1_000)).toBe('b.ts:2:1');
  });

  it('knows nothing of code that came from nowhere', () => {
    expect(origin(1, 9)).toBeUndefined();
    expect(origin(2, 1)).toBeUndefined();
    expect(origin(4, 1)).toBeUndefined();
  });

  it('answers in the order that it was asked in', () => {
    const places = [
      { line: 3, column: 1 },
      { line: 1, column: 5 },
      { line: 1, column: 1 },
      { line: 1, column: 5 },
    ];
    expect(originsOf(map, places)).toEqual(['b.ts:2:1', 'b.ts:3:7', 'a.ts:1:1', 'b.ts:3:7']);
  });
});
