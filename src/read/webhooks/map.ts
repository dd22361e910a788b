import type { Draft } from '../../intake/draft.ts';
import { RefusedError, TooLargeError } from '../../core/errors.ts';
import type { EventRules } from '../../intake/rules.ts';
import type { Millis } from '../../core/millis.ts';
import { utf8Bytes } from '../../core/utf8.ts';
import type { Json } from '../json.ts';
import { kindOf } from '../json.ts';
import type { Condition, Kind, Mapping } from './compile.ts';
import { allHold, holds } from './condition.ts';
import { digestOf } from './digest.ts';
import type { LeftOuts } from './leftOut.ts';
import { labelsOf } from './mapLabels.ts';
import type { Pointer } from './pointer.ts';
import { resolve } from './pointer.ts';
import type { Headers, Material } from './reference.ts';
import { firstTextOf, isStructure } from './reference.ts';

import type { Shape } from './shapes/shape.ts';
import { firstFilled } from './template.ts';
import { timeOf } from './time.ts';

/** What arrived. */
export interface MappedBody {
  readonly document: unknown;
  readonly headers: Headers;
}

/** What a mapping is run with. */
export interface MappingRun {
  /** Whose ids they are, so that those of two senders never meet. */
  readonly idSpace: string;
  readonly rules: Pick<EventRules, 'limits' | 'names' | 'labels'>;
  readonly eventsMax: number;
  /** What the webhook's URL says of all events. */
  readonly common: Pick<Draft, 'metric' | 'labels' | 'value'>;
  /** Makes each item what the mapping is written for. */
  readonly shape: Pick<Shape, 'item'>;
  readonly now: Millis;
  /** Gets what can't be used. */
  readonly left: LeftOuts;
}

/** What became of one item of the body: a draft; `ignored` where no kind is its own; `refused` where it had to be left out. */
export type Mapped = Draft | 'ignored' | 'refused';

/**
 * Reads the drafts out of a body, one for each item whose kind is known, in steps: an item each. Throws a RefusedError where the array of
 * items isn't there, and a TooLargeError where it is too long; an item that can't be read is told in its place.
 */
export function* mapBody(
  mapping: Mapping,
  { document, headers }: MappedBody,
  run: MappingRun,
): Generator<Mapped> {
  const whole = { item: undefined, document, headers };
  // A body of another kind needs no items.
  if (mapping.each !== undefined && !mapping.kinds.some((kind) => mayBeOfKind(kind, whole))) {
    yield 'ignored';
    return;
  }
  for (const item of itemsOf(mapping, document, run.eventsMax)) yield mapItem(mapping, item, whole, run);
}

function mapItem(mapping: Mapping, raw: unknown, whole: Material, run: MappingRun): Mapped {
  try {
    const item = run.shape.item(raw, run.now);
    if (mapping.each !== undefined && !isStructure(item) && !mapping.readsItem)
      throw noItem(mapping.each, item);
    const material = { ...whole, item };
    const kind = mapping.kinds.find((each) => isOfKind(each, material));
    return kind === undefined ? 'ignored' : draftOf(kind, material, run);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    run.left.add('event', () => error);
    return 'refused';
  }
}

/** Nothing can be inside it, so it would be an event of which nothing is known. */
function noItem(each: Pointer, item: unknown): RefusedError {
  return new RefusedError(
    'body',
    `each item of ${placeOf(each)} must be an object, not ${kindOf(item as Json)}; correct what is sent, or the mapping's each`,
  );
}

function placeOf(each: Pointer): string {
  return each.length === 0 ? 'the body' : `/${each.join('/')}`;
}

function itemsOf({ each }: Mapping, document: unknown, eventsMax: number): readonly unknown[] {
  if (each === undefined) return [document];
  const items = resolve(each, document);
  const place = placeOf(each);
  if (!Array.isArray(items))
    throw new RefusedError(
      'body',
      `${place} must be an array of events; check that the right sender posts here, or correct the mapping's each`,
    );
  if (items.length > eventsMax)
    throw new TooLargeError('body', `${place} has more than ${eventsMax} events; send fewer at a time`);
  return items;
}

function isOfKind({ when, unless }: Pick<Kind, 'when' | 'unless'>, material: Material): boolean {
  return allHold(when, material) && !unless.some((each) => holds(each, material));
}

/** Whether items may be of a kind, as far as headers and the whole body tell. */
function mayBeOfKind({ when, unless }: Kind, whole: Material): boolean {
  const isOfWhole = ({ reference }: Condition) => reference.in === 'header' || reference.in === 'document';
  return isOfKind({ when: when.filter(isOfWhole), unless: unless.filter(isOfWhole) }, whole);
}

function draftOf(kind: Kind, material: Material, run: MappingRun): Draft {
  const { idSpace, rules, common, left } = run;
  const labels = labelsOf(kind, material, { rules, common: common.labels }, left);
  const value =
    common.value ?? (typeof kind.value === 'number' ? kind.value : firstTextOf(kind.value, material));
  const metric = common.metric ?? kind.metric;
  const { time, unreadable } = timeOf(kind.times, material);
  if (unreadable !== undefined) left.add('time', () => unreadable);
  const id = firstFilled(kind.ids, material);
  return {
    ...(metric !== undefined && { metric }),
    labels,
    ...(value !== undefined && { value }),
    ...(time !== undefined && { timestamp: time }),
    ...(id !== undefined && { id: idOf(id, rules.limits.idBytesMax), idSpace }),
  };
}

/** Control characters, and what has no form of its own, as `intake/id.ts` has it. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** An id that would be refused becomes its digest: what makes two of them differ may stand at their end, and must not be cut off. */
function idOf(id: string, idBytesMax: number): string {
  const isKept = utf8Bytes(id, idBytesMax) <= idBytesMax && !UNPRINTABLE.test(id);
  return isKept ? id : digestOf(id);
}
