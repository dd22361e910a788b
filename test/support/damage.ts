import { readFileSync, writeFileSync } from 'node:fs';

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
