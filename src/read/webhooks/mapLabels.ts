import { RefusedError, shown } from '../../core/errors.ts';
import type { EventRules } from '../../intake/rules.ts';
import { keepsLabel } from '../../intake/keptLabels.ts';
import type { Kind, LabelRule, Spread } from './compile.ts';
import type { LeftOuts } from './leftOut.ts';
import { MAPPING_LIMITS, OTHER } from './language.ts';
import { labelNamesOf } from './names.ts';
import { isObject } from './pointer.ts';
import type { Material, Reference } from './reference.ts';
import { firstTextOf, isPlaceholder, isStructure, noText, textIfAny, valueOf } from './reference.ts';
import { TRANSFORMS } from './transforms.ts';

type Label = readonly [name: string, value: string];

/** An object of more members is none of labels, and to order them would take long. */
const MEMBERS_MAX = 1000;

/** What labels are made with. */
export interface LabelRun {
  readonly rules: Pick<EventRules, 'limits' | 'names' | 'labels'>;
  /** Labels of the webhook's URL, which come first. */
  readonly common: readonly Label[];
}

/**
 * The labels of one event, whose sender can't mend them: what can't be a label is left out and told in `left`, and none costs the event.
 * Those of the URL come first, then those that the mapping names, then the members of an object; what is too many goes from the end, of the
 * members in order of their names.
 */
export function labelsOf(
  kind: Kind,
  material: Material,
  { rules, common }: LabelRun,
  left: LeftOuts,
): readonly Label[] {
  const isKept = ([name]: Label) => keepsLabel(rules.labels, name);
  const ofUrl = new Set(common.map(([name]) => name));
  const named = kind.labels
    .filter(({ name }) => !ofUrl.has(name))
    .flatMap((rule): Label[] => {
      const text = labelOf(rule, material, left);
      return text === undefined ? [] : [[rule.name, fitted(text, rule.charactersMax)]];
    });
  const taken = new Set([...ofUrl, ...kind.labels.map(({ name }) => name)]);
  const spread =
    kind.spread === undefined ? [] : spreadOf(kind.spread, kind.dropped, taken, material, rules, left);
  const labels = [...common, ...named, ...spread].filter(isKept);
  for (const [name] of labels.slice(rules.limits.labelsMax)) left.add('label', () => tooMany(name, rules));
  return labels.slice(0, rules.limits.labelsMax);
}

function labelOf(rule: LabelRule, material: Material, left: LeftOuts): string | undefined {
  const found =
    rule.from.length === 1 ? textOfOnly(rule.from[0], material) : firstTextOf(rule.from, material);
  if (found === undefined) {
    const unusable = rule.from.find((reference) => isUnusable(valueOf(reference, material)));
    if (unusable !== undefined) left.add('label', () => noText(unusable, valueOf(unusable, material)));
    return rule.fallback;
  }
  let text = found;
  for (const name of rule.transforms) text = TRANSFORMS[name](text);
  if (text === '') return rule.fallback;
  return rule.allowed?.has(text) === false ? OTHER : text;
}

function textOfOnly(reference: Reference | undefined, material: Material): string | undefined {
  return reference === undefined ? undefined : textIfAny(reference, material);
}

/** Something stands there, and is no label's value. */
function isUnusable(value: unknown): boolean {
  return isStructure(value) || isPlaceholder(value);
}

/** A value as a mapping wants it: whole characters, and no more of them than it says. What is too long for an event is cut, and counted, at the door. */
function fitted(text: string, charactersMax: number): string {
  return cut(text, charactersMax).toWellFormed();
}

/** At most so many characters, none of them cut in half. */
function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const end = text.codePointAt(charactersMax - 1) ?? 0;
  return text.slice(0, end > 0xff_ff ? charactersMax - 1 : charactersMax);
}

function spreadOf(
  { from, prefix }: Spread,
  dropped: ReadonlySet<string>,
  taken: ReadonlySet<string>,
  material: Material,
  rules: LabelRun['rules'],
  left: LeftOuts,
): readonly Label[] {
  const members = valueOf(from, material);
  if (members === undefined || members === null) return [];
  if (!isObject(members)) {
    left.add('label', () => noMembers(from, 'must be an object; its members become labels'));
    return [];
  }
  const all = Object.entries(members);
  if (all.length > MEMBERS_MAX) {
    left.add('label', () =>
      noMembers(from, `has more than ${MEMBERS_MAX} members, which is too many for labels`),
    );
    return [];
  }
  const entries: (readonly [member: string, value: string])[] = [];
  for (const [member, value] of all) {
    const reference: Reference = { in: 'item', pointer: [member], text: `${from.text}/${shown(member)}` };
    const text = textIfAny(reference, { ...material, item: members });
    if (text !== undefined && member !== '') entries.push([member, text]);
    // An empty value is no label, as everywhere in Prometheus.
    else if (value !== '') left.add('label', () => noMember(reference, member, value));
  }
  const named = labelNamesOf(
    entries.map(([member]) => member),
    { names: rules.names, bytesMax: rules.limits.labelNameBytesMax, taken, prefix },
  );
  const labels = entries.flatMap(([, text], at): Label[] => {
    const name = named[at] as string;
    return dropped.has(name) ? [] : [[name, fitted(text, MAPPING_LIMITS.valueCharactersDefault)]];
  });
  if (labels.length <= MAPPING_LIMITS.spreadMax && labels.length + taken.size <= rules.limits.labelsMax)
    return labels;
  // Which ones stay must not depend on their order.
  const sorted = labels.toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name] of sorted.slice(MAPPING_LIMITS.spreadMax)) {
    const why = `has ${entries.length} members, but at most ${MAPPING_LIMITS.spreadMax} become labels; ${shown(name)} is left out`;
    left.add('label', () => noMembers(from, why));
  }
  return sorted.slice(0, MAPPING_LIMITS.spreadMax);
}

function noMembers({ text }: Reference, why: string): RefusedError {
  return new RefusedError(text, `${text} ${why}`);
}

function noMember(reference: Reference, member: string, value: unknown): RefusedError {
  if (member === '')
    return new RefusedError(reference.text, `${reference.text} has an empty name, which can't be a label`);
  if (value !== null) return noText(reference, value);
  return new RefusedError(reference.text, `${reference.text} is null, which can't be a label's value`);
}

function tooMany(name: string, { limits }: LabelRun['rules']): RefusedError {
  return new RefusedError(
    'labels',
    `an event can have at most ${limits.labelsMax} labels, so ${shown(name)} is left out; drop other labels, or raise event.labelsMax`,
  );
}
