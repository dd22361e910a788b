import { Access } from '../src/access/access.ts';
import { App } from '../src/app.ts';
import { loadSettings } from '../src/config/load.ts';
import { millis } from '../src/core/millis.ts';
import { createLogger } from '../src/observe/logger.ts';

/** A server with the default settings, to ask what it has. Constructing one opens nothing. */
export function defaultApp(): App {
  const loaded = loadSettings({ argv: [], env: {}, readFile: () => undefined });
  if (loaded.action !== 'run') throw new Error('no settings');
  return new App({
    settings: loaded.settings,
    version: '',
    clock: () => millis(0),
    elapsed: () => 0,
    machine: { memoryBytes: 0, heapBytes: 0 },
    logger: createLogger('ERROR', { write: () => undefined }),
    access: Access.withoutFiles(),
    guide: '',
  });
}
