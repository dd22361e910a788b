import { RefusedError, shown } from '../../core/errors.ts';
import type { EventRules } from '../../intake/rules.ts';
import { checkMetricName, labelName } from '../../core/labels.ts';
import { MAPPING_LIMITS, TIME_UNITS } from './language.ts';
import type { TimeUnit } from './language.ts';
import { listAt, membersAt, objectAt, textAt, textsAt, wholeNumberAt, wordAt, wrong } from './members.ts';
import type { Pointer } from './pointer.ts';
import { parsePointer } from './pointer.ts';
import type { Reference } from './reference.ts';
import { parseReference } from './reference.ts';
import type { Template } from './template.ts';
import { parseTemplate } from './template.ts';
import type { Transform } from './transforms.ts';
import { TRANSFORMS, isTransform } from './transforms.ts';

/** A mapping that was checked, and whose pointers are read. */
export interface Mapping {
  readonly each: Pointer | undefined;
  /** Whether a label is made of an item itself, and not of what is inside it. */
  readonly readsItem: boolean;
  /** In the order in which they are tried. */
  readonly kinds: readonly Kind[];
}

/** How one kind of event is read. */
export interface Kind {
  readonly name: string;
  /** All must hold. */
  readonly when: readonly Condition[];
  /** None may hold. */
  readonly unless: readonly Condition[];
  readonly metric: string | undefined;
  readonly labels: readonly LabelRule[];
  readonly spread: Spread | undefined;
  /** Labels that the spread must not give. */
  readonly dropped: ReadonlySet<string>;
  readonly value: readonly Reference[] | number;
  readonly times: readonly TimeRule[];
  readonly ids: readonly Template[];
}

export interface Condition {
  readonly reference: Reference;
  /** undefined stands for none. */
  readonly texts: ReadonlySet<string | undefined>;
}

export interface LabelRule {
  readonly name: string;
  /** None for a constant, which is its `fallback`. */
  readonly from: readonly Reference[];
  readonly transforms: readonly Transform[];
  readonly allowed: ReadonlySet<string> | undefined;
  readonly fallback: string | undefined;
  readonly charactersMax: number;
}

export interface Spread {
  readonly from: Reference;
  readonly prefix: string;
}

export interface TimeRule {
  readonly from: Reference;
  readonly unit: TimeUnit;
  /** The zone of times that name none, as RFC 3339 writes it; undefined where such a time can't be read. */
  readonly zone: string | undefined;
  /** All must hold. */
  readonly when: readonly Condition[];
}

/** What names must keep to. */
export type NameRules = Pick<EventRules, 'limits' | 'names' | 'reserved'>;

const SHAPE = ['when', 'unless', 'metric', 'labels', 'labelsFrom', 'value', 'time', 'id'] as const;
/** The members of a written mapping. */
export const MAPPING_MEMBERS = [...SHAPE, 'each', 'kinds', 'drop'] as const;

const {
  kindsMax,
  labelsMax,
  conditionsMax,
  alternativesMax,
  transformsMax,
  allowMax,
  textCharactersMax,
  valueCharactersDefault,
  valueCharactersMax,
} = MAPPING_LIMITS;

/**
 * Reads a written mapping, of which nothing is taken for granted. `field` is where it stands, such as `webhooks.deploys`. Throws a RefusedError
 * that names the place, the rule and what stands there.
 */
export function compileMapping(field: string, raw: unknown, rules: NameRules): Mapping {
  const { each, kinds, drop, ...common } = membersAt(field, raw, MAPPING_MEMBERS);
  const dropped = drop === undefined ? [] : textsAt(`${field}.drop`, drop, labelsMax, textCharactersMax);
  const shapes: (readonly [name: string, place: string, shape: Shape])[] = [];
  if (kinds === undefined) shapes.push(['', field, common]);
  else {
    const entries = Object.entries(objectAt(`${field}.kinds`, kinds, 'an object of kinds'));
    if (entries.length === 0 || entries.length > kindsMax)
      throw wrong(`${field}.kinds`, `an object of 1 to ${kindsMax} kinds`, kinds);
    for (const [name, own] of entries) {
      const place = `${field}.kinds.${name}`;
      shapes.push([name, place, together(field, common, place, membersAt(place, own, SHAPE))]);
    }
  }
  const kindsOfAll = shapes.map(([name, place, shape]) => {
    const kind = compileKind(name, place, shape, dropped, rules);
    if (each !== undefined) checkIdsOfItems(`${place}.id`, kind);
    return kind;
  });
  return {
    each: each === undefined ? undefined : compileEach(`${field}.each`, each),
    readsItem: kindsOfAll.some(({ labels }) => labels.some(({ from }) => from.some(isItem))),
    kinds: kindsOfAll,
  };
}

function isItem(reference: Reference): boolean {
  return reference.in === 'digest' && reference.pointer.length === 0;
}

/** Of several events in one body, all but the first would be taken for duplicates of it. */
function checkIdsOfItems(field: string, { ids }: Kind): void {
  for (const template of ids) {
    if (template.some((part) => typeof part !== 'string' && (part.in === 'item' || part.in === 'digest')))
      continue;
    const text = template.map((part) => (typeof part === 'string' ? part : `{${part.text}}`)).join('');
    throw new RefusedError(
      field,
      `${field} ${shown(text)} is the same for every item of each, so all but the first would be duplicates; add something that differs between items, such as {/id} or {digest:}`,
    );
  }
}

function compileEach(field: string, raw: unknown): Pointer {
  return raw === '' ? [] : parsePointer(field, textAt(field, raw, textCharactersMax));
}

type Shape = Readonly<Record<string, unknown>>;

/** A kind with what stands above all kinds: its own members win, conditions and labels come together. */
function together(above: string, common: Shape, place: string, own: Shape): Shape {
  const both = (name: string): Shape => ({
    ...(common[name] === undefined ? {} : objectAt(`${above}.${name}`, common[name])),
    ...(own[name] === undefined ? {} : objectAt(`${place}.${name}`, own[name])),
  });
  return { ...common, ...own, when: both('when'), unless: both('unless'), labels: both('labels') };
}

function compileKind(
  name: string,
  field: string,
  shape: Shape,
  dropped: readonly string[],
  rules: NameRules,
): Kind {
  const { when = {}, unless = {}, metric, labels = {}, labelsFrom, value, time, id } = shape;
  const named = Object.entries(objectAt(`${field}.labels`, labels, 'an object of labels'));
  if (named.length > labelsMax)
    throw new RefusedError(
      `${field}.labels`,
      `${field}.labels may have at most ${labelsMax} labels; remove some`,
    );
  return {
    name,
    when: compileConditions(`${field}.when`, when),
    unless: compileConditions(`${field}.unless`, unless),
    dropped: new Set(dropped),
    metric:
      metric === undefined
        ? undefined
        : checkMetricName(
            `${field}.metric`,
            textAt(`${field}.metric`, metric, textCharactersMax),
            rules.limits,
            rules.reserved,
            rules.names,
          ),
    labels: named
      .filter(([label]) => !dropped.includes(label))
      .map(([label, source]) => compileLabel(`${field}.labels`, label, source, rules)),
    spread: labelsFrom === undefined ? undefined : compileSpread(`${field}.labelsFrom`, labelsFrom, rules),
    value: compileValue(`${field}.value`, value),
    times: time === undefined ? [] : compileTimes(`${field}.time`, time),
    ids:
      id === undefined
        ? []
        : textsAt(`${field}.id`, id, alternativesMax, textCharactersMax).map((text) =>
            parseTemplate(`${field}.id`, text),
          ),
  };
}

function compileConditions(field: string, raw: unknown): Condition[] {
  const entries = Object.entries(objectAt(field, raw, 'an object of conditions'));
  if (entries.length > conditionsMax)
    throw new RefusedError(field, `${field} may have at most ${conditionsMax} conditions; remove some`);
  return entries.map(([reference, texts]) => {
    const place = `${field}.${reference}`;
    const allowed = listAt(place, texts, allowMax).map((text) =>
      text === null ? undefined : textAt(place, text, textCharactersMax),
    );
    return { reference: parseReference(place, reference), texts: new Set(allowed) };
  });
}

function compileLabel(field: string, label: string, source: unknown, rules: NameRules): LabelRule {
  const place = `${field}.${label}`;
  const name = nameAt(place, () => labelName(label, rules.limits, rules.names));
  const plain = { name, transforms: [], allowed: undefined, charactersMax: valueCharactersDefault };
  if (typeof source === 'string')
    return { ...plain, from: [parseReference(place, source)], fallback: undefined };
  if (Object.hasOwn(objectAt(place, source, 'a reference or an object'), 'const')) {
    const { const: constant } = membersAt(place, source, ['const']);
    return { ...plain, from: [], fallback: textAt(`${place}.const`, constant, textCharactersMax) };
  }
  const {
    from,
    as = [],
    allow,
    default: fallback,
    max = valueCharactersDefault,
  } = membersAt(place, source, ['from', 'as', 'allow', 'default', 'max']);
  return {
    name,
    from: references(`${place}.from`, from),
    transforms: compileTransforms(`${place}.as`, as),
    allowed:
      allow === undefined
        ? undefined
        : new Set(
            listAt(`${place}.allow`, allow, allowMax).map((text) =>
              textAt(`${place}.allow`, text, textCharactersMax),
            ),
          ),
    fallback: fallback === undefined ? undefined : textAt(`${place}.default`, fallback, textCharactersMax),
    charactersMax: wholeNumberAt(`${place}.max`, max, 1, valueCharactersMax),
  };
}

function compileTransforms(field: string, raw: unknown): Transform[] {
  const names =
    Array.isArray(raw) && raw.length === 0 ? [] : textsAt(field, raw, transformsMax, textCharactersMax);
  return names.map((name) => {
    if (!isTransform(name)) throw wrong(field, `one of ${Object.keys(TRANSFORMS).join(', ')}`, name);
    return name;
  });
}

/** A name of a mapping; what is wrong with it is said with its place, for whoever wrote the mapping. */
function nameAt(place: string, make: () => string): string {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    throw new RefusedError(place, `${place}: ${error.message}`, { cause: error });
  }
}

function compileSpread(field: string, raw: unknown, rules: NameRules): Spread {
  const { from, prefix } = membersAt(field, raw, ['from', 'prefix']);
  const text = textAt(`${field}.prefix`, prefix, textCharactersMax);
  nameAt(`${field}.prefix`, () => labelName(text, rules.limits, rules.names));
  return {
    from: parseReference(`${field}.from`, textAt(`${field}.from`, from, textCharactersMax)),
    prefix: text,
  };
}

function compileValue(field: string, raw: unknown): readonly Reference[] | number {
  if (raw === undefined) return 1;
  if (typeof raw === 'string' || Array.isArray(raw)) return references(field, raw);
  const { const: constant } = membersAt(field, raw, ['const']);
  if (typeof constant !== 'number') throw wrong(`${field}.const`, 'a number', constant);
  return constant;
}

function compileTimes(field: string, raw: unknown): TimeRule[] {
  const sources = Array.isArray(raw) ? listAt(field, raw, alternativesMax) : [raw];
  return sources.map((source) => {
    if (typeof source === 'string')
      return { from: parseReference(field, source), unit: 'auto', zone: undefined, when: [] };
    const {
      from,
      unit = 'auto',
      zone,
      when = {},
    } = membersAt(field, source, ['from', 'unit', 'zone', 'when']);
    return {
      from: parseReference(`${field}.from`, textAt(`${field}.from`, from, textCharactersMax)),
      unit: wordAt(`${field}.unit`, unit, TIME_UNITS),
      zone: zone === undefined ? undefined : compileZone(`${field}.zone`, zone),
      when: compileConditions(`${field}.when`, when),
    };
  });
}

/** https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
const OFFSET = /^[+-](?:[01]\d|2[0-3]):[0-5]\d$/;

function compileZone(field: string, raw: unknown): string {
  if (typeof raw === 'string' && /^(?:utc|z)$/i.test(raw)) return 'Z';
  if (typeof raw === 'string' && OFFSET.test(raw)) return raw;
  throw wrong(field, 'utc, or an offset such as +02:00', raw);
}

function references(field: string, raw: unknown): Reference[] {
  return textsAt(field, raw, alternativesMax, textCharactersMax).map((text) => parseReference(field, text));
}
