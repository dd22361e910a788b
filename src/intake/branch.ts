/**
 * One place in a tree of what follows what, text by text. What came last is looked at first: where kinds of things come again and again,
 * most texts are followed by the same one as the last time.
 */
export class Branch<Value> {
  readonly text: string;
  value: Value;
  /** What followed the last time. */
  latest: Branch<Value> | undefined;
  /** All that ever followed; undefined where that is no more than the latest. */
  #all: Map<string, Branch<Value>> | undefined;

  constructor(text: string, value: Value) {
    this.text = text;
    this.value = value;
  }

  /** What follows with this text, if it ever did. It is the latest then. */
  next(text: string): Branch<Value> | undefined {
    const { latest } = this;
    if (latest === undefined || latest.text === text) return latest;
    const found = this.#all?.get(text);
    if (found !== undefined) this.latest = found;
    return found;
  }

  /** Lets a text follow that never did. It is the latest then. */
  grow(text: string, value: Value): Branch<Value> {
    const grown = new Branch(text, value);
    if (this.latest !== undefined) {
      this.#all ??= new Map([[this.latest.text, this.latest]]);
      this.#all.set(text, grown);
    }
    this.latest = grown;
    return grown;
  }
}
