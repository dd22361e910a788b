import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `npm start` tells Node in a checkout. */
export function nodeFlagsOf(checkout: string): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string };
  };
  return manifest.scripts.start.split(' ').filter((word) => word.startsWith('--'));
}

/** What it tells Node here, and so does whoever starts the server in another way: docs/decisions/0036-flags-for-node.md. */
export const NODE_FLAGS = nodeFlagsOf(join(import.meta.dirname, '..'));
