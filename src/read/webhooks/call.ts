import type { Draft, DraftFields } from '../../intake/draft.ts';
import { RefusedError } from '../../core/errors.ts';
import type { Event } from '../../intake/event.ts';
import type { EventRules } from '../../intake/rules.ts';
import type { Millis } from '../../core/millis.ts';
import { LeftOuts } from './leftOut.ts';
import { mapBody } from './map.ts';
import type { Headers } from './reference.ts';
import { fingerprintOf } from './shapes/fingerprint.ts';
import type { Webhook } from './webhooks.ts';

/** What a delivery is checked against. */
export interface CallRules {
  readonly rules: EventRules;
  /** In one body. */
  readonly eventsMax: number;
}

/** What came beside the body. */
export interface CallHead {
  readonly headers: Headers;
  /** What the URL says of all events; without it, nothing. */
  readonly common?: Pick<Draft, 'metric' | 'labels' | 'value'>;
}

/** As an error calls the parts of a mapped event. */
export const MAPPED: DraftFields = {
  metric: 'metric',
  value: 'value',
  timestamp: 'time',
  id: 'id',
  labels: 'labels.',
};

/**
 * What a delivery comes to. What of an item can't be used is left out, and an item that can't be stored is; neither concerns the others.
 */
export class WebhookCall {
  /** Items of which no kind is known, such as a ping. */
  ignored = 0;
  /** What could not be used: whole items, or parts of them. */
  readonly left = new LeftOuts();

  /** The draft of each item, and undefined after it: others may have their turns then. Throws a RefusedError for a body that can't be read at all. */
  *drafts(
    { mapping, shape, idSpace }: Webhook,
    document: unknown,
    { headers, common = { labels: [] } }: CallHead,
    { rules, eventsMax }: CallRules,
    now: Millis,
  ): Generator<Draft | undefined, void> {
    const { left } = this;
    const run = { idSpace: idSpace + ofUrl(common), rules, eventsMax, common, shape, now, left };
    for (const mapped of mapBody(mapping, { document: shape.body(document), headers }, run)) {
      if (mapped === 'ignored') this.ignored += 1;
      else if (mapped !== 'refused') yield mapped;
      left.item += 1;
      yield undefined;
    }
  }

  /** The draft that was read last can't be an event. */
  refused(error: RefusedError): void {
    this.left.add('event', () => error);
  }

  /** The draft that was read last is an event, perhaps with fewer labels. */
  taken({ leftOut = 0 }: Event): void {
    if (leftOut > 0) this.left.add('label', () => seriesTooLong(leftOut), leftOut);
  }
}

function seriesTooLong(labels: number): RefusedError {
  return new RefusedError(
    'labels',
    `the series is longer than event.seriesMax, so its last ${labels === 1 ? 'label is' : `${labels} labels are`} left out; drop labels, or raise event.seriesMax`,
  );
}

/** Two senders that the URL tells apart may give out the same ids. */
function ofUrl({ metric = '', labels }: Pick<Draft, 'metric' | 'labels'>): string {
  if (metric === '' && labels.length === 0) return '';
  return ` ${fingerprintOf([['__name__', metric], ...labels])}`;
}
