import type { Settings } from '../config/settings.ts';
import type { Millis } from '../core/millis.ts';
import type { Tried } from '../read/webhooks/tryWebhook.ts';
import { tryWebhook } from '../read/webhooks/tryWebhook.ts';
import { eventRules } from './eventRules.ts';

/**
 * What a webhook of these settings would make of a body. Which names the server keeps for its own metrics is known to a running one only.
 * Throws a ConfigError for settings that don't fit together, and a RefusedError for a name that no webhook has.
 */
export function tryWebhookWith(
  settings: Settings,
  name: string,
  delivery: { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> },
  now: Millis,
): Tried {
  const rules = eventRules(settings, () => false);
  return tryWebhook(
    name,
    settings.webhooks,
    delivery,
    { rules, eventsMax: settings['batch.eventsMax'] },
    now,
  );
}
