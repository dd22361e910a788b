import { describe, expect, it } from 'vitest';
import { Search } from './search.ts';

/** What it says of so many entries that are refused alone, one after the other. */
const refusals = (search: Search, count: number) =>
  Array.from({ length: count }, () => {
    const said = search.refusedAlone();
    search.settled(1);
    return said;
  });

describe('a search', () => {
  it('counts as many as missing as the receiver did not write, and takes the others for stored', () => {
    const search = new Search();
    search.begin(6, 2, 0);
    expect(refusals(search, 4)).toEqual(['missing', 'missing', 'stored', 'stored']);
  });

  it('doubts as many as an earlier request may have brought', () => {
    const search = new Search();
    search.begin(6, 3, 2);
    expect(refusals(search, 4)).toEqual(['missing', 'refused', 'refused', 'stored']);
    const all = new Search();
    all.begin(6, 3, 6);
    expect(refusals(all, 4)).toEqual(['refused', 'refused', 'refused', 'stored']);
  });

  it('knows nothing of a receiver that says nothing, and of one that is refused at once', () => {
    const search = new Search();
    search.begin(2, undefined, 0);
    expect(refusals(search, 2)).toEqual(['refused', 'refused']);
    expect(refusals(search, 1)).toEqual(['refused']);
  });

  it('lets no request reach beyond it, and is over when all is settled', () => {
    const search = new Search();
    expect(search.eventsMax).toBe(Infinity);
    search.begin(10, 1, 0);
    search.settled(6);
    expect(search.eventsMax).toBe(4);
    // A part of it that is refused tells nothing new.
    search.begin(4, 4, 0);
    expect(refusals(search, 2)).toEqual(['missing', 'stored']);
    search.settled(2);
    expect(search.eventsMax).toBe(Infinity);
    search.begin(3, 3, 0);
    expect(refusals(search, 1)).toEqual(['missing']);
  });
});
