import { ConfigError } from '../config/error.ts';
import type { Settings } from '../config/settings.ts';
import { RefusedError } from '../core/errors.ts';
import type { EventRules } from '../intake/rules.ts';
import type { Webhook } from '../read/webhooks/webhooks.ts';
import { readWebhooks } from '../read/webhooks/webhooks.ts';

/** The webhooks that there are. Throws a ConfigError for one that breaks a rule. */
export function webhooksOf(settings: Settings, rules: EventRules): readonly Webhook[] {
  try {
    return readWebhooks(settings.webhooks, rules);
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause;
    throw new ConfigError(cause.message, { cause });
  }
}
