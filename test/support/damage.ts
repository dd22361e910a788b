import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const PAGE = 4096;

/** The pages of a database, from 0 on, on which the rows of a table stand whose text has a word in it; in the order of their keys. */
export function leafPages(file: string, word: string): number[] {
  const content = readFileSync(file);
  const pages: { page: number; first: number }[] = [];
  for (let page = 1; page * PAGE < content.length; page += 1) {
    const at = page * PAGE;
    // A leaf of a table; its cells begin with their size and their key, as varints.
    if (content[at] !== 0x0d || content.readUInt16BE(at + 3) === 0) continue;
    const cell = at + content.readUInt16BE(at + 8);
    if (!content.subarray(cell, at + PAGE).includes(word)) continue;
    let place = cell;
    const varint = (): number => {
      let value = 0;
      for (;;) {
        const byte = content[place++] as number;
        value = value * 128 + (byte & 0x7f);
        if (byte < 0x80) return value;
      }
    };
    varint();
    pages.push({ page, first: varint() });
  }
  return pages.toSorted((a, b) => a.first - b.first).map(({ page }) => page);
}

/** Overwrites bytes of pages: all of them, or some from a place in each on. */
export function damagePages(file: string, pages: readonly number[], from = 0, upTo = PAGE): void {
  const content = readFileSync(file);
  for (const page of pages) content.fill(0x5a, page * PAGE + from, page * PAGE + upTo);
  writeFileSync(file, content);
}

/** Where in a database a page stands: the table or index, or `freelist`, and what kind of page it is. */
export type Place = `${string} ${'leaf' | 'internal' | 'overflow' | 'trunk'}`;

/** All pages of a closed database, from 0 on, by where they stand. */
export function pagesByPlace(file: string): ReadonlyMap<Place, readonly number[]> {
  const places = new Map<Place, number[]>();
  const add = (place: string, page: number) => {
    const pages = places.get(place as Place);
    if (pages === undefined) places.set(place as Place, [page - 1]);
    else pages.push(page - 1);
  };
  const db = new DatabaseSync(file, { readOnly: true });
  for (const { name, pagetype, pageno } of db.prepare('SELECT name, pagetype, pageno FROM dbstat').all())
    add(`${String(name)} ${String(pagetype)}`, Number(pageno));
  db.close();
  // https://www.sqlite.org/fileformat2.html#the_freelist
  const content = readFileSync(file);
  for (let trunk = content.readUInt32BE(32); trunk !== 0;) {
    add('freelist trunk', trunk);
    const at = (trunk - 1) * PAGE;
    for (let leaf = 0; leaf < content.readUInt32BE(at + 4); leaf += 1)
      add('freelist leaf', content.readUInt32BE(at + 8 + 4 * leaf));
    trunk = content.readUInt32BE(at);
  }
  return places;
}
