import { shown } from '../core/errors.ts';
import type { Past, Way } from '../core/past.ts';
import type { MovedRange, Offer, Position } from '../core/position.ts';
import { CLOSES_AFTER_ENDS, HALVINGS_MAX, TIMEOUT_MS_MAX } from '../core/position.ts';
import type { Range } from '../core/range.ts';
import { COUNTED_MAX, MOMENT_MAX } from '../core/stored.ts';
import type { IdentifiedBy, ScraperRecord } from './scraperRecords.ts';
import { IDENTIFIED_BY } from './scraperRecords.ts';

/** Says what is wrong with a value that stands at a place; undefined where nothing is. */
type Rule = (value: unknown, at: string) => string | undefined;

/**
 * What is wrong with a scraper's record that was read back, in words; undefined where nothing is. Each field is looked at, though this program
 * alone writes them: of a number that is missing a page may never end, and of ranges that overlap events are lost, or come twice.
 * What is still a number within its range can't be told from what was written.
 */
export function recordFault(record: unknown): string | undefined {
  return RECORD(record, '');
}

function fault(at: string, value: unknown, what: string): string {
  const name = at === '' ? 'the record' : at;
  return `${name} is ${value === undefined ? 'missing' : shown(value)}; it must be ${what}`;
}

const whole =
  (min: number, max: number): Rule =>
  (value, at) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : fault(at, value, `a whole number from ${min} to ${max}`);

const text: Rule = (value, at) => (typeof value === 'string' ? undefined : fault(at, value, 'a string'));

const oneOf =
  <T>(...allowed: readonly T[]): Rule =>
  (value, at) =>
    allowed.includes(value as T)
      ? undefined
      : fault(at, value, allowed.map((each) => shown(each)).join(' or '));

const optional =
  (rule: Rule): Rule =>
  (value, at) =>
    value === undefined ? undefined : rule(value, at);

const object =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fault(at, value, 'an object');
    for (const [name, rule] of Object.entries(rules)) {
      const found = rule((value as Record<string, unknown>)[name], at === '' ? name : `${at}.${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  };

/** An object that has nothing but what there are rules for. */
const closed = (rules: Readonly<Record<string, Rule>>): Rule =>
  all(object(rules), (value, at) => {
    const unknown = Object.keys(value as object).find((name) => !Object.hasOwn(rules, name));
    return unknown === undefined
      ? undefined
      : `${at} has ${shown(unknown)}; it must have no more than ${Object.keys(rules).join(', ')}`;
  });

/** A list. `rule`: what each of it must be, with the one before. */
const list =
  <T>(rule: (before: T | undefined) => Rule): Rule =>
  (value, at) => {
    if (!Array.isArray(value)) return fault(at, value, 'a list');
    for (const [index, each] of value.entries()) {
      const found = rule(value[index - 1] as T | undefined)(each, `${at}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  };

/** Rules one after the other: one may take for granted what those before it ask for. */
const all =
  (...rules: readonly Rule[]): Rule =>
  (value, at) => {
    for (const rule of rules) {
      const found = rule(value, at);
      if (found !== undefined) return found;
    }
    return undefined;
  };

const MOMENT = whole(0, MOMENT_MAX);

/** Not empty, behind the one before, and not beyond the head. */
const range = (head: number, before: Range | undefined): Rule =>
  all(object({ after: whole(before?.upTo ?? 0, head - 1) }), (value, at) =>
    object({ upTo: whole((value as Range).after + 1, head) })(value, at),
  );

const ranges = (head: number): Rule => list<Range>((before) => range(head, before));

/** An offer always has entries: without them, those that were in it would count as delivered. */
const someRanges = (head: number): Rule =>
  all(ranges(head), (value, at) =>
    (value as readonly Range[]).length > 0 ? undefined : fault(at, value, 'a list of one range or more'),
  );

/** Its times count up from the floor, one millisecond for each entry. The floor may lie before 1970 where a clock says so. */
const movedRange = (head: number, before: Range | undefined): Rule =>
  all(range(head, before), (value, at) => {
    const { after, upTo } = value as MovedRange;
    return object({ floor: whole(-MOMENT_MAX, MOMENT_MAX - (upTo - after)) })(value, at);
  });

/** A client may announce fractions of a millisecond. */
const TIMEOUT: Rule = (value, at) =>
  typeof value === 'number' && value > 0 && value <= TIMEOUT_MS_MAX
    ? undefined
    : fault(at, value, `a number above 0, and ${TIMEOUT_MS_MAX} at most`);

/** Where what a scrape hid is, or that it hid something. */
const hidden = (head: number): Rule => {
  const rule = ranges(head);
  return (value, at) => {
    if (Array.isArray(value)) return rule(value, at);
    return value === 'some' ? undefined : fault(at, value, 'a list, or "some"');
  };
};

const offer = (head: number): Rule =>
  object({
    id: whole(1, COUNTED_MAX),
    mode: oneOf<Offer['mode']>('timed', 'untimed'),
    phase: oneOf<Offer['phase']>('sending', 'flushed'),
    ranges: someRanges(head),
    collapsed: whole(0, head),
    hidden: optional(hidden(head)),
    requestedAt: MOMENT,
    timeoutMs: optional(TIMEOUT),
    closes: optional(oneOf(true)),
  });

/** What came back and what is out: an entry in two of these would be delivered twice. */
const apart: Rule = (value, at) => {
  const { returned, offers } = value as Position;
  const open = [...returned, ...offers.flatMap((each) => each.ranges)].toSorted((a, b) => a.after - b.after);
  for (const [index, { after }] of open.entries()) {
    if (after < (open[index - 1]?.upTo ?? 0))
      return `entry ${after + 1} is in ${at}.returned or ${at}.offers more than once; it must be in one place`;
  }
  const ids = new Set(offers.map(({ id }) => id));
  return ids.size === offers.length
    ? undefined
    : `two of ${at}.offers have the same id; each must have its own`;
};

/** How entries were settled. Who reads of a way that is unknown here could tell nothing of it. */
const past = (head: number): Rule =>
  all(object({ start: optional(whole(0, head)) }), (value, at) => {
    const { start = 0 } = value as Past;
    const rule = optional(someRanges(head));
    const ways: Record<Way, Rule> = {
      unproven: rule,
      collapsed: rule,
      perhapsCollapsed: rule,
      backlog_full: rule,
      log_full: rule,
      damaged: rule,
      refused: rule,
    };
    return object({ known: whole(start, head), ways: closed(ways) })(value, at);
  });

/** All entries that it names lie up to its head. */
const POSITION: Rule = all(
  object({ head: whole(0, COUNTED_MAX) }),
  (value, at) => {
    const { head } = value as Position;
    const offers = list(() => offer(head));
    return object({
      returned: ranges(head),
      offers,
      endedOnce: ranges(head),
      perhapsTimed: ranges(head),
      endsInRow: whole(0, CLOSES_AFTER_ENDS),
      repeats: offers,
      moved: list<Range>((before) => movedRange(head, before)),
      halvings: whole(0, HALVINGS_MAX),
      // An older version wrote none.
      past: optional(past(head)),
    })(value, at);
  },
  apart,
);

/** A key of a selection: a hash, of which so much is kept. */
const KEY: Rule = (value, at) =>
  typeof value === 'string' && /^[\w-]{16}$/.test(value)
    ? undefined
    : fault(at, value, 'a key of 16 characters');

/** In force from a place on that the scraper has reached. */
const selectOf: Rule = (value) => {
  const { select, position } = value as ScraperRecord;
  return optional(object({ key: KEY, since: whole(0, position.head) }))(select, 'select');
};

const FIELDS: Rule = object({
  id: text,
  identifiedBy: oneOf<IdentifiedBy>(...IDENTIFIED_BY),
  address: text,
  firstSeen: MOMENT,
  lastSeen: MOMENT,
  isOneVisit: optional(oneOf(true)),
  version: whole(1, COUNTED_MAX),
  position: POSITION,
});

const RECORD: Rule = all(FIELDS, selectOf);
