import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configMarkdown } from '../src/config/describe.ts';
import { metricsMarkdown } from './metricsPage.ts';
import { webhookTables } from './webhookTables.ts';

/** Writes the pages that are made from the code. `test/docs.test.ts` fails where one is out of date. */
const write = (page: string, text: string) => writeFileSync(join(import.meta.dirname, '../docs', page), text);

write('operate/config.md', configMarkdown());
write('operate/metrics.md', metricsMarkdown());
write('ingest/webhook-labels.md', webhookTables());
