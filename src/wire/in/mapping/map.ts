import type { Draft } from '../../../core/draft.ts';
import { RefusedError, TooLargeError, shown } from '../../../core/errors.ts';
import type { EventNames } from '../../../core/labels.ts';
import { utf8Bytes } from '../../../core/utf8.ts';
import type { Condition, Kind, LabelRule, Mapping, Spread } from './compile.ts';
import { MAPPING_LIMITS, OTHER } from './language.ts';
import { isObject, resolve } from './pointer.ts';
import type { Headers, Material } from './reference.ts';
import { firstTextOf, isStructure, textIfAny, textOf, valueOf } from './reference.ts';
import { fingerprintOf } from './shapes/fingerprint.ts';
import { firstFilled } from './template.ts';
import { timeOf } from './time.ts';
import { TRANSFORMS } from './transforms.ts';

/** What arrived. */
export interface Delivery {
  readonly document: unknown;
  readonly headers: Headers;
}

/** What a mapping is run with. */
export interface MappingRun {
  /** Whose ids they are, so that those of two senders never meet. */
  readonly idSpace: string;
  readonly idBytesMax: number;
  readonly names: EventNames;
  readonly eventsMax: number;
}

/** What became of one item of the body: a draft, or why there is none; neither where no kind is its own. */
export interface Mapped {
  readonly draft?: Draft;
  readonly refusal?: RefusedError;
}

/**
 * Reads the drafts out of a body as they are asked for, one for each item whose kind is known. Throws a RefusedError where the array of items isn't there, and a
 * TooLargeError where it is too long; an item that can't be read is told in its place.
 */
export function mapDelivery(
  mapping: Mapping,
  { document, headers }: Delivery,
  run: MappingRun,
): IteratorObject<Mapped> {
  const items = itemsOf(mapping, document, run.eventsMax);
  return items.values().map((item) => {
    try {
      const material = { item, document, headers };
      const kind = mapping.kinds.find((each) => isOfKind(each, material));
      return kind === undefined ? {} : { draft: draftOf(kind, material, run) };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return { refusal: error };
    }
  });
}

function itemsOf({ each }: Mapping, document: unknown, eventsMax: number): readonly unknown[] {
  if (each === undefined) return [document];
  const items = resolve(each, document);
  const place = each.length === 0 ? 'the body' : `/${each.join('/')}`;
  if (!Array.isArray(items))
    throw new RefusedError('body', `${place} must be an array of events, as the webhook's mapping says`);
  if (items.length > eventsMax)
    throw new TooLargeError('body', `${place} holds more than ${eventsMax} events; send fewer at a time`);
  return items;
}

function isOfKind({ when, unless }: Kind, material: Material): boolean {
  return when.every((each) => holds(each, material)) && !unless.some((each) => holds(each, material));
}

function holds({ reference, texts }: Condition, material: Material): boolean {
  const value = valueOf(reference, material);
  // An object or an array is no text that a condition could name, and it isn't nothing either.
  if (isStructure(value)) return false;
  return texts.has(textIfAny(reference, material));
}

function draftOf(kind: Kind, material: Material, { idSpace, names, idBytesMax }: MappingRun): Draft {
  const labels = kind.labels.flatMap((rule) => {
    const text = labelOf(rule, material);
    return text === undefined ? [] : [[rule.name, text] as const];
  });
  const given = new Set(kind.labels.map(({ name }) => name));
  const spread =
    kind.spread === undefined ? [] : spreadLabels(kind.spread, given, kind.dropped, material, names);
  const value = typeof kind.value === 'number' ? kind.value : firstTextOf(kind.value, material);
  const timestamp = timeOf(kind.times, material);
  const id = firstFilled(kind.ids, material);
  return {
    ...(kind.metric !== undefined && { metric: kind.metric }),
    labels: [...labels, ...spread],
    ...(value !== undefined && { value }),
    ...(timestamp !== undefined && { timestamp }),
    ...(id !== undefined && { id: idOf(id, idBytesMax), idSpace }),
  };
}

/** Control characters, and what has no form of its own, as `core/id.ts` has it. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** An id that would be refused becomes its fingerprint: what makes two of them differ may stand at their end, and must not be cut off. */
function idOf(id: string, idBytesMax: number): string {
  const isKept = utf8Bytes(id, idBytesMax) <= idBytesMax && !UNPRINTABLE.test(id);
  return isKept ? id : fingerprintOf([['', id]]);
}

function labelOf(rule: LabelRule, material: Material): string | undefined {
  const found = firstTextOf(rule.from, material);
  if (found === undefined) return rule.fallback;
  let text = found;
  for (const name of rule.transforms) text = TRANSFORMS[name](text);
  if (text === '') return rule.fallback;
  if (rule.allowed?.has(text) === false) return OTHER;
  return cut(text, rule.charactersMax);
}

/** At most so many characters, none of them cut in half. */
function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const end = text.codePointAt(charactersMax - 1) ?? 0;
  return text.slice(0, end > 0xff_ff ? charactersMax - 1 : charactersMax);
}

function spreadLabels(
  { from, prefix }: Spread,
  given: ReadonlySet<string>,
  dropped: ReadonlySet<string>,
  material: Material,
  names: EventNames,
): (readonly [string, string])[] {
  const members = valueOf(from, material);
  if (members === undefined || members === null) return [];
  if (!isObject(members))
    throw new RefusedError(from.text, `${from.text} must be an object, whose members become labels`);
  const entries = Object.entries(members);
  if (entries.length > MAPPING_LIMITS.spreadMax) {
    throw new RefusedError(
      from.text,
      `${from.text} has ${entries.length} members, of which at most ${MAPPING_LIMITS.spreadMax} become labels; send fewer`,
    );
  }
  return entries.flatMap(([member]) => {
    const text = textOf(
      { in: 'item', pointer: [member], text: `${from.text}/${shown(member)}` },
      { ...material, item: members },
    );
    if (text === undefined) return [];
    const plain = asLabelName(member, names);
    const name = given.has(plain) ? prefix + plain : plain;
    return dropped.has(name) ? [] : [[name, cut(text, MAPPING_LIMITS.valueCharactersDefault)] as const];
  });
}

/** A name that can be a label's: where UTF-8 isn't taken, `_` for each character beyond the legacy charset. */
function asLabelName(member: string, names: EventNames): string {
  // Prometheus keeps names that begin with two underscores to itself.
  const open = member.replace(/^_{2,}/, '_');
  if (names === 'utf8') return open;
  const legacy = open.replaceAll(/[^a-zA-Z0-9_]/gu, '_');
  return /^\d/.test(legacy) ? `_${legacy}` : legacy;
}
