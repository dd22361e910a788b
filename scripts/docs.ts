import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configMarkdown } from '../src/config/describe.ts';
import { chartPages } from './chartPages.ts';
import { withEndpoints } from './endpointsTable.ts';
import { metricsMarkdown } from './metricsPage.ts';
import { webhookTables } from './webhookTables.ts';

/** Writes the pages that are made from the code. Tests fail where one is out of date. */
const write = (page: string, text: string) => writeFileSync(join(import.meta.dirname, '../docs', page), text);

write('operate/config.md', configMarkdown());
write('operate/metrics.md', metricsMarkdown());
write('ingest/webhook-labels.md', webhookTables());
const readme = join(import.meta.dirname, '../README.md');
writeFileSync(readme, withEndpoints(readFileSync(readme, 'utf8')));
for (const { path, text } of await chartPages()) writeFileSync(path, text);
