import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configMarkdown } from '../src/config/describe.ts';
import { webhookTables } from './webhookTables.ts';

/** Writes the pages that are made from the code. `test/docs.test.ts` fails where one is out of date. */
writeFileSync(join(import.meta.dirname, '../docs/operate/config.md'), configMarkdown());
writeFileSync(join(import.meta.dirname, '../docs/ingest/webhook-labels.md'), webhookTables());
