import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page that has a name behind its language, as in "```yaml exact-time". */
export interface PageBlock {
  readonly language: string;
  readonly name: string;
  readonly text: string;
}

/** The named blocks of a page, by name. Throws where two share one. */
export function pageBlocks(path: string): ReadonlyMap<string, PageBlock> {
  const page = readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
  const blocks = new Map<string, PageBlock>();
  for (const [, language = '', name = '', text = ''] of page.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)) {
    if (blocks.has(name)) throw new Error(`${path} has two blocks named ${name}`);
    blocks.set(name, { language, name, text });
  }
  return blocks;
}

/** The text of a block. Throws where there is none of that name. */
export function blockText(blocks: ReadonlyMap<string, PageBlock>, name: string): string {
  const block = blocks.get(name);
  if (block === undefined)
    throw new Error(`no block is named ${name}; there are ${[...blocks.keys()].join(', ')}`);
  return block.text;
}
