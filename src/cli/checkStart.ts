import { Access } from '../access/access.ts';
import { readText } from '../access/readText.ts';
import { App } from '../app.ts';
import { checkSinks } from '../app/sinkChecks.ts';
import type { Settings } from '../config/settings.ts';
import { createLogger } from '../observe/logger.ts';
import { newsFor } from '../observe/news.ts';
import type { CliIo } from './io.ts';

/** Begins a start as `serve` does, up to where it would listen. Throws a ConfigError, or an AccessFileError. */
export async function checkStart(
  { clock, machine, elapsed, version, randomBytes, stderr }: CliIo,
  settings: Settings,
): Promise<void> {
  const logger = createLogger('ERROR', { write: (line: string) => void stderr.write(line) });
  await checkSinks(settings);
  const access = await Access.open({
    settings,
    read: readText,
    compare: () => Promise.reject(new Error('nobody comes here')),
    key: randomBytes(32),
    news: newsFor(logger, elapsed),
  });
  new App({ settings, version, clock, machine, elapsed, logger, linesLost: () => 0, access, guide: '' });
}
