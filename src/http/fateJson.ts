import type { Fate, State } from '../core/fate.ts';
import type { GivenUp } from '../core/past.ts';
import type { ScraperFate } from '../delivery/receipts.ts';

/** What is told of a scraper: where the event is, or that there is no such scraper. */
type ToldState = State | 'absent';

/** From the one that is furthest from delivery. */
const STATES: readonly ToldState[] = [
  'absent',
  'waiting',
  'onItsWay',
  'dropped',
  'beforeItsStart',
  'collapsed',
  'unknown',
  'deliveredWithoutProof',
  'delivered',
  'notSelected',
];

const MESSAGES: Readonly<Partial<Record<ToldState, string>>> = {
  absent: 'no scraper with this id is known',
  beforeItsStart: "this scraper became known after the event, so it doesn't get it",
  notSelected: 'the select of this sink in the configuration leaves it out',
  collapsed:
    'a scrape without timestamps showed one sample for several events of this series, and not the one of this event',
  unknown: 'delivered or dropped; which of the two is no longer known',
  deliveredWithoutProof: 'the scrape ended well, but nothing proves that it was read',
};

const PERHAPS_COLLAPSED =
  'it was in a scrape that showed one sample for several events of a series; whether it was the one of this event is not known';

const REASONS: Readonly<Record<GivenUp, string>> = {
  backlog_full: 'more than scrapers.backlogMax entries were waiting for this scraper',
  log_full: 'the log reached store.entriesMax or store.bytesMax before this scraper fetched it',
  damaged: 'the file of the log is damaged here',
  refused: 'the receiver behind this sink refused it; oneshot sinks shows its words',
};

const COUNT = { type: 'integer', minimum: 0 } as const;

/** What a receipt tells of each scraper. */
export const FATE_SCHEMA = {
  type: 'object',
  required: ['id', 'state'],
  properties: {
    id: { type: 'string' },
    identifiedBy: { type: 'string' },
    state: {
      type: 'string',
      enum: STATES,
      description:
        '`waiting`: among what it gets next. `onItsWay`: in a response that is not settled yet. `delivered`: it proved that it read it, or, of a sink, that it is stored. ' +
        '`deliveredWithoutProof`: delivered as far as the server can tell. `collapsed`: settled with a sample that stood for several events of the ' +
        'series. `dropped`: see `reason`. `beforeItsStart`: the scraper came later. `notSelected`: the configuration of the sink leaves it out. `unknown`: settled, and the server no longer knows how. ' +
        '`absent`: there is no scraper with this id. Of several events, the state of those that are furthest from delivery',
    },
    reason: {
      type: 'string',
      enum: Object.keys(REASONS),
      description: 'Why it was dropped; `events_to_metrics_dropped_total` counts by these reasons',
    },
    message: {
      type: 'string',
      description: 'What the state means, if its name does not say it; of a sink that fails, why',
    },
    counts: {
      type: 'object',
      additionalProperties: COUNT,
      description: 'Of several events: how many entries of the log are in each state',
    },
  },
} as const;

/** What a scraper has of an event, or of several. */
export function fateJson({ id, identifiedBy, fates, failing }: ScraperFate, isSeveral: boolean) {
  const worst = fates.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state))[0];
  const state: ToldState = identifiedBy === undefined ? 'absent' : (worst?.state ?? 'unknown');
  const { reason } = worst ?? {};
  const isOpen = state === 'waiting' || state === 'onItsWay';
  const message =
    isOpen && failing !== undefined
      ? `the receiver takes nothing now; it is tried again: ${failing}`
      : messageOf(state, worst);
  return {
    id,
    ...(identifiedBy !== undefined && { identifiedBy }),
    state,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(isSeveral && identifiedBy !== undefined && { counts: countsOf(fates) }),
  };
}

function messageOf(state: ToldState, fate: Fate | undefined): string | undefined {
  if (fate?.reason !== undefined) return REASONS[fate.reason];
  return fate?.isPerhapsCollapsed === true ? PERHAPS_COLLAPSED : MESSAGES[state];
}

function countsOf(fates: readonly Fate[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state, count } of fates) counts[state] = (counts[state] ?? 0) + count;
  return counts;
}
