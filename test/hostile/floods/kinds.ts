import type { Flood } from './flood.ts';
import { CONNECTIONS } from './kinds/connections.ts';
import { FULL_LOG } from './kinds/fullLog.ts';
import { READERS } from './kinds/readers.ts';
import { REFUSED } from './kinds/refused.ts';
import { DISTINCT } from './kinds/series.ts';
import { UNFINISHED } from './kinds/unfinished.ts';

/** All floods, in the order of their kinds. */
export const FLOODS: readonly Flood[] = [
  ...DISTINCT,
  ...UNFINISHED,
  ...READERS,
  ...CONNECTIONS,
  ...REFUSED,
  ...FULL_LOG,
].sort((a, b) => a.kind - b.kind);
