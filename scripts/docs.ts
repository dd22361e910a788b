import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configMarkdown } from '../src/config/describe.ts';
import { metricsMarkdown } from './metricsPage.ts';

/** Writes the pages that are made from the code. `test/docs.test.ts` fails where one is out of date. */
const write = (page: string, text: string) =>
  writeFileSync(join(import.meta.dirname, '../docs/operate', page), text);

write('config.md', configMarkdown());
write('metrics.md', metricsMarkdown());
