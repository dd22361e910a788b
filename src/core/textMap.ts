/**
 * V8 hashes a text whole up to this many UTF-16 units. Beyond it the hash is made of the length alone, so that all longer texts of one length
 * have one: a `Map` of them is a list, which is searched from its beginning for each of them.
 */
export const HASHED_UNITS_MAX = 16_383;

/** Stands for a long text: what is an object is hashed by itself, and not by what it holds. */
class LongText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What follows a piece. Only the last piece of a text is shorter than the others, and it may be empty; so no text ends where another goes on. */
type Pieces = Map<string, Pieces | LongText>;

/**
 * A `Map` by texts of any length that others choose. A look costs what the text is long, however many there are: a long text is
 * looked up piece by piece, each of which is hashed whole. It keeps the order in which texts came, as a `Map` does.
 */
export class TextMap<Value> {
  readonly #values = new Map<string | LongText, Value>();
  readonly #long: Pieces = new Map();

  get size(): number {
    return this.#values.size;
  }

  get(text: string): Value | undefined {
    if (text.length <= HASHED_UNITS_MAX) return this.#values.get(text);
    const long = this.#find(text);
    return long === undefined ? undefined : this.#values.get(long);
  }

  has(text: string): boolean {
    if (text.length <= HASHED_UNITS_MAX) return this.#values.has(text);
    return this.#find(text) !== undefined;
  }

  set(text: string, value: Value): void {
    this.#values.set(text.length <= HASHED_UNITS_MAX ? text : this.#take(text), value);
  }

  /** Whether it was there. */
  delete(text: string): boolean {
    if (text.length <= HASHED_UNITS_MAX) return this.#values.delete(text);
    const long = this.#find(text);
    if (long === undefined) return false;
    this.#forget(text);
    return this.#values.delete(long);
  }

  clear(): void {
    this.#values.clear();
    this.#long.clear();
  }

  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  *entries(): IterableIterator<readonly [text: string, value: Value]> {
    for (const [key, value] of this.#values) yield [typeof key === 'string' ? key : key.text, value];
  }

  #find(text: string): LongText | undefined {
    let at: Pieces | LongText | undefined = this.#long;
    for (let from = 0; at instanceof Map; from += HASHED_UNITS_MAX) at = at.get(pieceAt(text, from));
    return at;
  }

  #take(text: string): LongText {
    let pieces = this.#long;
    for (let from = 0; ; from += HASHED_UNITS_MAX) {
      const piece = pieceAt(text, from);
      let next = pieces.get(piece);
      if (next === undefined) {
        next = piece.length < HASHED_UNITS_MAX ? new LongText(text) : new Map<string, Pieces | LongText>();
        pieces.set(piece, next);
      }
      if (next instanceof LongText) return next;
      pieces = next;
    }
  }

  /** Takes a text's pieces out that no other text has. */
  #forget(text: string): void {
    const path: Pieces[] = [];
    let at: Pieces | LongText | undefined = this.#long;
    for (; at instanceof Map; at = at.get(pieceAt(text, (path.length - 1) * HASHED_UNITS_MAX))) path.push(at);
    for (let depth = path.length - 1; depth >= 0; depth -= 1) {
      const pieces = path[depth] as Pieces;
      pieces.delete(pieceAt(text, depth * HASHED_UNITS_MAX));
      if (pieces.size > 0) return;
    }
  }
}

function pieceAt(text: string, from: number): string {
  return text.slice(from, from + HASHED_UNITS_MAX);
}
