import { Branch } from '../intake/branch.ts';
import type { Draft } from '../intake/draft.ts';
import { interned, ownCopy } from '../core/keptText.ts';
import type { Step } from './plainStep.ts';
import { START, stepBehind } from './plainStep.ts';
import { escapedEnd, numberEnd, startsNumber, stringEnd, unescaped } from './plainValue.ts';

/** How many steps are remembered: those of hundreds of kinds of events. … */
const STEPS_MAX = 2048;
/** … And how many UTF-16 units of them, with which they take 2 MiB at most. */
const CHARACTERS_MAX = 512 << 10;

/** A step that was taken, with those that were taken behind it. */
type Taken = Branch<Step>;

/**
 * Reads JSON events as most senders write them, in a fraction of the time that JSON takes in general: what stands between the values of
 * an event stood there in an earlier one to the letter, be that of another sender, so it is compared with that, and only the values are
 * read. What it reads, it reads just as `parseJson` and `readJsonEvent` do; everything that isn't plain, or is wrong, it leaves to them.
 */
export class PlainReader {
  /** Where the event ended that was read last. */
  end = 0;
  #start: Taken = new Branch('', START);
  #steps = 0;
  #characters = 0;

  /** Reads the event that begins at a place of a text, in one line; what follows it is not looked at. Undefined where it is not plain. */
  read(text: string, from: number): Draft | undefined {
    const labels: (readonly [string, string])[] = [];
    const draft: { -readonly [Part in keyof Draft]: Draft[Part] } = { labels };
    let taken = this.#start;
    let place = from;
    for (;;) {
      const next = this.#next(taken, text, place);
      if (next === undefined) return undefined;
      const { value: step } = next;
      place += step.text.length;
      if (step.to === 'end') break;
      let end = step.isQuoted ? stringEnd(text, place) : numberEnd(text, place);
      let value: string | undefined;
      if (end !== -1) value = text.slice(place, end);
      else if (step.isQuoted) {
        end = escapedEnd(text, place);
        value = end === -1 ? undefined : unescaped(text.slice(place - 1, end + 1));
      }
      if (value === undefined) return undefined;
      if (step.to === 'label') labels.push([step.label, value]);
      else if (step.to === 'name') draft.metric = value;
      // It is remembered for long.
      else if (step.to === 'id') draft.id = ownCopy(value);
      else draft[step.to] = value;
      taken = next;
      place = end;
    }
    this.end = place;
    return draft;
  }

  /** Reads an event that is the whole text. Undefined where it is not plain. */
  readOne(text: string): Draft | undefined {
    const draft = this.read(text, behindBlanks(text, 0));
    return draft !== undefined && behindBlanks(text, this.end) === text.length ? draft : undefined;
  }

  /** Reads the events of an array that is the whole text. Undefined where one of them is not plain, or anything is wrong. */
  readArray(text: string): readonly Draft[] | undefined {
    const drafts: Draft[] = [];
    let place = behindBlanks(text, 0);
    let sign = '[';
    while (text[place] === sign) {
      const draft = this.read(text, behindBlanks(text, place + 1));
      if (draft === undefined) return undefined;
      drafts.push(draft);
      place = behindBlanks(text, this.end);
      sign = ',';
    }
    return drafts.length > 0 && text[place] === ']' && behindBlanks(text, place + 1) === text.length
      ? drafts
      : undefined;
  }

  #next(taken: Taken, text: string, place: number): Taken | undefined {
    const { latest } = taken;
    if (latest !== undefined && stands(latest.value, text, place)) return latest;
    const step = stepBehind(taken.value, text, place);
    if (step === undefined) return undefined;
    const known = taken.next(step.text);
    if (known !== undefined) return known;
    if (this.#steps === STEPS_MAX || this.#characters + step.text.length > CHARACTERS_MAX) {
      this.#start = new Branch('', START);
      this.#steps = 0;
      this.#characters = 0;
    }
    this.#steps += 1;
    this.#characters += step.text.length;
    const own = ownCopy(step.text);
    return taken.grow(own, { ...step, text: own, label: interned(step.label) });
  }
}

const BLANKS = /[ \t\n\r]*/y;

/** Blanks between events; lines may end there. */
function behindBlanks(text: string, from: number): number {
  BLANKS.lastIndex = from;
  BLANKS.test(text);
  return BLANKS.lastIndex;
}

function stands(step: Step, text: string, place: number): boolean {
  const end = place + step.text.length;
  // Quicker than `startsWith`.
  if (text.slice(place, end) !== step.text) return false;
  return step.isQuoted || step.to === 'end' || startsNumber(text, end);
}
