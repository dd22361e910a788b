/**
 * Makes what the npm package and the image run: `npm run build`, into dist. A clone runs from source and needs none of it.
 * docs/decisions/0052-one-bundle.md says why.
 */
import { join } from 'node:path';
import { bundle } from './build/bundle.ts';

const ROOT = join(import.meta.dirname, '..');

await bundle(ROOT, join(ROOT, 'dist'));
