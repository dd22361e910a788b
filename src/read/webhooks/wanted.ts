import type { Mapping } from './compile.ts';
import type { Pointer } from './pointer.ts';
import type { Reference } from './reference.ts';

/** Which parts of a JSON value are read; the others are passed over. Of a part that is not `whole` only its own kind is known, and what is wanted in it. */
export class Wanted {
  static readonly everything = new Wanted(true);
  readonly isWhole: boolean;
  readonly #members = new Map<string, Wanted>();
  /** Of each item, where it is an array. */
  #items: Wanted | undefined;
  #lastIndex = -1;

  constructor(isWhole = false) {
    this.isWhole = isWhole;
  }

  /** The last index that is read of an array; -1 for none. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Whether members have to be told by their names. */
  get hasMembers(): boolean {
    return this.#members.size > 0;
  }

  /** What is read of a member, or of an item by its index; undefined for nothing. */
  at(step: string | number): Wanted | undefined {
    if (this.isWhole) return this;
    const own = this.#members.get(String(step));
    if (typeof step === 'string' || this.#items === undefined) return own;
    // Where both are wanted, one by its index and all as events, that one is read as a whole.
    return own === undefined ? this.#items : Wanted.everything;
  }

  /** Adds what a pointer points at. */
  add([step, ...rest]: Pointer, isWhole: boolean): void {
    if (step === undefined || this.isWhole) return;
    if (/^\d{1,9}$/.test(step)) this.#lastIndex = Math.max(this.#lastIndex, Number(step));
    if (rest.length === 0 && isWhole) {
      this.#members.set(step, Wanted.everything);
      return;
    }
    const next = this.#members.get(step) ?? new Wanted();
    this.#members.set(step, next);
    next.add(rest, isWhole);
  }

  /** What is read of each item of the array that a pointer points at. */
  itemsAt([step, ...rest]: Pointer): Wanted {
    if (step === undefined) return (this.#items ??= new Wanted());
    this.add([step], false);
    return this.#members.get(step)?.itemsAt(rest) ?? Wanted.everything;
  }
}

/** What a mapping reads of a body. */
export function wantedBy({ each, kinds }: Mapping): Wanted {
  const references = kinds.flatMap((kind): readonly (readonly [Reference, isWhole: boolean])[] => [
    ...[...kind.when, ...kind.unless].map(({ reference }) => [reference, false] as const),
    ...kind.labels.flatMap(({ from }) => from.map((reference) => [reference, false] as const)),
    ...(kind.spread === undefined ? [] : [[kind.spread.from, true] as const]),
    ...(typeof kind.value === 'number' ? [] : kind.value.map((reference) => [reference, false] as const)),
    ...kind.times.flatMap(({ from, when }) => [
      [from, false] as const,
      ...when.map(({ reference }) => [reference, false] as const),
    ]),
    ...kind.ids
      .flat()
      .filter((part) => typeof part !== 'string')
      .map((part) => [part, part.in === 'digest'] as const),
  ]);
  // A digest of all of the body, or of all of an item, makes all of it wanted.
  const isAll = references.some(
    ([reference, isWhole]) => isWhole && reference.in !== 'header' && reference.pointer.length === 0,
  );
  if (isAll) return Wanted.everything;
  const wanted = new Wanted();
  const items = each === undefined ? wanted : wanted.itemsAt(each);
  for (const [reference, isWhole] of references) {
    if (reference.in === 'header') continue;
    (reference.in === 'document' ? wanted : items).add(reference.pointer, isWhole);
  }
  return wanted;
}
