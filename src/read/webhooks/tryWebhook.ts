import { RefusedError, shown } from '../../core/errors.ts';
import type { Draft } from '../../intake/draft.ts';
import type { Event } from '../../intake/event.ts';
import type { EventRules } from '../../intake/rules.ts';
import { eventFromDraft } from '../../intake/eventFromDraft.ts';
import type { Millis } from '../../core/millis.ts';
import type { CallRules } from './call.ts';
import { WebhookCall, MAPPED } from './call.ts';
import { parseDocument } from './document.ts';
import { readWebhooks } from './webhooks.ts';

/** What a webhook would make of a body. */
export interface Tried {
  readonly events: readonly Event[];
  /** Items of which no kind is known, such as a ping. */
  readonly ignored: number;
  /** Why it, or an item of it, would not be stored. The other items are. */
  readonly refused: readonly string[];
  /** What would be left out of what is stored, and why. */
  readonly leftOut: readonly string[];
}

/**
 * Says what a webhook makes of a body, without a server: `oneshot webhook try <name> file.json`. Signatures and tokens are not looked at.
 * `settings` is the setting `webhooks`; headers are found by their names in any case. Throws a RefusedError for wrong settings, and for a
 * name that no webhook has.
 */
export function tryWebhook(
  name: string,
  settings: Readonly<Record<string, unknown>>,
  { body, headers }: { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> },
  rules: CallRules,
  now: Millis,
): Tried {
  // The others may be wrong, and are none of its business.
  const own = Object.hasOwn(settings, name) ? { [name]: settings[name] } : {};
  const webhooks = readWebhooks(own, rules.rules);
  const webhook = webhooks.find((each) => each.name === name);
  if (webhook === undefined) {
    const names = new Set([...Object.keys(settings), ...webhooks.map((each) => each.name)]);
    throw new RefusedError(
      'name',
      `there is no webhook ${shown(name)}; the webhooks are ${[...names].join(', ')}`,
    );
  }
  const byName = new Map(Object.entries(headers).map(([header, text]) => [header.toLowerCase(), text]));
  try {
    const document = parseDocument(body, webhook.wanted);
    const head = { headers: (header: string) => byName.get(header) };
    const call = new WebhookCall();
    const drafts = call.drafts(webhook, document, head, rules, now);
    return told(eventsOf(drafts, call, rules.rules), call);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { events: [], ignored: 0, refused: [error.message], leftOut: [] };
  }
}

/** As the door of a server makes them. */
function eventsOf(
  drafts: Iterable<Draft | undefined>,
  call: WebhookCall,
  rules: EventRules,
): readonly Event[] {
  const events: Event[] = [];
  for (const draft of drafts) {
    if (draft === undefined) continue;
    try {
      const event = eventFromDraft(draft, rules, MAPPED, undefined, 'cut');
      events.push(event);
      call.taken(event);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      call.refused(error);
    }
  }
  return events;
}

function told(events: readonly Event[], { ignored, left }: WebhookCall): Tried {
  const errors = (isEvent: boolean) =>
    left.told.filter(({ part }) => (part === 'event') === isEvent).map(({ error }) => error.message);
  return { events, ignored, refused: errors(true), leftOut: errors(false) };
}
