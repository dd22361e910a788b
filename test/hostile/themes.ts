import type { Settings } from '../../src/config/settings.ts';
import type { Row } from './row.ts';
import { COMPRESSED } from './rows/compressed.ts';
import { FORMS } from './rows/form.ts';
import { FRAMING } from './rows/framing.ts';
import { JSON_ROWS } from './rows/json.ts';
import { CLOUD_EVENT_ROWS, NDJSON_ROWS } from './rows/lines.ts';
import { READING } from './rows/reading.ts';
import { WEBHOOK_ROWS, WEBHOOKS } from './rows/webhooks.ts';

/** What every server under test is set to: each door is open, and what may be mapped is mapped. */
export const SETTINGS = {
  webhooks: WEBHOOKS,
  'cloudevents.data': ['env=/env', 'value=/seconds'],
} satisfies Partial<Settings>;

/** Rows for a server that lets in everybody, by what they are about. Those for one that doesn't stand in `rows/auth.ts`. */
export const THEMES: Readonly<Record<string, readonly Row[]>> = {
  'how a request is framed, and where it goes': FRAMING,
  'URLs and forms': FORMS,
  JSON: JSON_ROWS,
  NDJSON: NDJSON_ROWS,
  CloudEvents: CLOUD_EVENT_ROWS,
  'compressed bodies': COMPRESSED,
  webhooks: WEBHOOK_ROWS,
  'what is read': READING,
};
