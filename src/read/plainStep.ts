import { isDigit, startsNumber, stringEnd } from './plainValue.ts';

/**
 * What stands between two values of a JSON event: `","type":"`, or before the first, `{"labels":{"env":"`, or behind the last, `"}}`.
 * The quotes of a value belong to the steps around it.
 */
export interface Step {
  readonly text: string;
  /** What the value behind it is: a field, or a label; `end` where the event is over. */
  readonly to: Target;
  /** The label's name. */
  readonly label: string;
  /** Whether the value stands in quotes; else it is a number. */
  readonly isQuoted: boolean;
  readonly isInLabels: boolean;
  /** The event's fields that were named so far: a sum of `FIELDS`. */
  readonly fields: number;
  readonly before: Step | undefined;
  /** How many stand before it. */
  readonly depth: number;
}

export type Target = 'label' | 'name' | 'value' | 'timestamp' | 'id' | 'end';

/** Stands before the first one. */
export const START: Step = {
  text: '',
  to: 'end',
  label: '',
  isQuoted: false,
  isInLabels: false,
  fields: 0,
  before: undefined,
  depth: 0,
};

const LABELS = 1;
const FIELDS: ReadonlyMap<string, readonly [to: Target, field: number]> = new Map([
  ['name', ['name', 2]],
  ['value', ['value', 4]],
  ['timestamp', ['timestamp', 8]],
  ['id', ['id', 16]],
]);

/** Beyond it, to look for a name among all that came before costs more than to read the event in the ordinary way. */
const DEPTH_MAX = 100;
/** In UTF-16 units; it bounds what is remembered of names and blanks. */
const STEP_CHARACTERS_MAX = 1024;

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * The step that follows another one at a place of a text, which is where a value ended, or an event may begin. Undefined where there is none,
 * or not a plain one: it goes on in another line, holds an escape, a name that stood before or is none of an event, or `true`, `null` or the
 * like follows. Whoever reads JSON in full has to look then.
 */
export function stepBehind(before: Step, text: string, place: number): Step | undefined {
  if (before.depth === DEPTH_MAX) return undefined;
  let { isInLabels, fields } = before;
  let at = before.isQuoted ? place + 1 : place;
  let needsComma = before !== START;
  if (before === START) {
    at = behindBlanks(text, at);
    if (text.charCodeAt(at) !== OPEN) return undefined;
    at += 1;
  }
  const found = (to: Target, end: number, isQuoted = false, label = ''): Step | undefined =>
    end - place > STEP_CHARACTERS_MAX
      ? undefined
      : {
          text: text.slice(place, end),
          to,
          label,
          isQuoted,
          isInLabels,
          fields,
          before,
          depth: before.depth + 1,
        };
  for (;;) {
    at = behindBlanks(text, at);
    if (text.charCodeAt(at) === CLOSE) {
      at += 1;
      if (!isInLabels) return found('end', at);
      isInLabels = false;
      needsComma = true;
      continue;
    }
    if (needsComma) {
      if (text.charCodeAt(at) !== COMMA) return undefined;
      at = behindBlanks(text, at + 1);
    }
    const nameEnd = text.charCodeAt(at) === QUOTE ? stringEnd(text, at + 1) : -1;
    if (nameEnd === -1) return undefined;
    const name = text.slice(at + 1, nameEnd);
    at = behindBlanks(text, nameEnd + 1);
    if (text.charCodeAt(at) !== COLON) return undefined;
    at = behindBlanks(text, at + 1);
    if (!isInLabels && name === 'labels') {
      if (text.charCodeAt(at) !== OPEN || (fields & LABELS) !== 0) return undefined;
      at += 1;
      fields |= LABELS;
      isInLabels = true;
      needsComma = false;
      continue;
    }
    const isQuoted = text.charCodeAt(at) === QUOTE;
    if (!isQuoted && !startsNumber(text, at)) return undefined;
    const end = isQuoted ? at + 1 : at;
    if (isInLabels) return mayBeLabel(name, before) ? found('label', end, isQuoted, name) : undefined;
    const [to, field] = FIELDS.get(name) ?? ['end', fields];
    // A metric's name is no number.
    if ((fields & field) !== 0 || to === 'end' || (to === 'name' && !isQuoted)) return undefined;
    fields |= field;
    return found(to, end, isQuoted);
  }
}

/** Whether a label of this name has yet to come, and is read in the place where it stands: an object puts numbers before other names. */
function mayBeLabel(name: string, before: Step): boolean {
  if (isDigit(name.charCodeAt(0))) return false;
  for (let step: Step | undefined = before; step !== undefined; step = step.before)
    if (step.to === 'label' && step.label === name) return false;
  return true;
}

/** Blanks within a line. */
function behindBlanks(text: string, from: number): number {
  let place = from;
  for (;;) {
    const unit = text.charCodeAt(place);
    if (unit !== SPACE && unit !== TAB) return place;
    place += 1;
  }
}
