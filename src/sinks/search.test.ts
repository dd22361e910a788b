import { describe, expect, it } from 'vitest';
import { offset } from '../core/offset.ts';
import { range } from '../core/range.ts';
import { Search } from './search.ts';

/** The entries from one to another. */
const entries = (first: number, last: number) => range(offset(first - 1), offset(last));

/** What it says of entries that are refused alone, one after the other. */
const refusals = (search: Search, first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => {
    search.come(entries(first + n, first + n));
    const said = search.refusedAlone();
    search.settled(entries(first + n, first + n));
    return said;
  });

describe('a search', () => {
  it('counts as many as missing as the receiver did not write, and takes the others for stored', () => {
    const search = new Search();
    search.begin(entries(1, 6), 2, 0);
    expect(refusals(search, 1, 4)).toEqual(['missing', 'missing', 'stored', 'stored']);
  });

  it('doubts as many as an earlier request may have brought', () => {
    const search = new Search();
    search.begin(entries(1, 6), 3, 2);
    expect(refusals(search, 1, 4)).toEqual(['missing', 'refused', 'refused', 'stored']);
    const all = new Search();
    all.begin(entries(1, 6), 3, 6);
    expect(refusals(all, 1, 4)).toEqual(['refused', 'refused', 'refused', 'stored']);
  });

  it('knows nothing of a receiver that says nothing, and of one that is refused at once', () => {
    const search = new Search();
    search.begin(entries(1, 2), undefined, 0);
    expect(refusals(search, 1, 2)).toEqual(['refused', 'refused']);
    expect(refusals(search, 3, 3)).toEqual(['refused']);
  });

  it('lets no request reach beyond it, and is over when all is settled', () => {
    const search = new Search();
    expect(search.eventsMax).toBe(Infinity);
    search.begin(entries(1, 10), 1, 0);
    search.settled(entries(1, 6));
    expect(search.eventsMax).toBe(4);
    // A part of it that is refused tells nothing new.
    search.begin(entries(7, 10), 4, 0);
    expect(refusals(search, 7, 8)).toEqual(['missing', 'stored']);
    search.settled(entries(9, 10));
    expect(search.eventsMax).toBe(Infinity);
    search.begin(entries(11, 13), 3, 0);
    expect(refusals(search, 11, 11)).toEqual(['missing']);
  });

  it('says nothing of others once some of its own were dropped', () => {
    const search = new Search();
    search.begin(entries(1, 4), 1, 0);
    expect(refusals(search, 1, 1)).toEqual(['missing']);
    expect(refusals(search, 5, 7)).toEqual(['refused', 'refused', 'refused']);
    expect(search.eventsMax).toBe(Infinity);
  });
});
