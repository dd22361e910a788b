import type { Fate } from './disk.ts';

/** A change of a file. What a truncation cuts away counts as written with zeros: that is what stands there once the file is longer again. */
interface Change {
  readonly offset: number;
  readonly data: Buffer;
  /** The file's size after it. */
  readonly size: number;
}

const SECTOR = 512;
const PAGE = 4096;
/** Of no length that anything else has, so that it stands differently everywhere. */
const GARBAGE_BYTES = 997;

/** A file's durable content, and what was changed since. */
export class DiskFile {
  /** With room for more, in which there are zeros. */
  #bytes: Buffer;
  #durableSize: number;
  #changes: Change[] = [];
  #gone = 0;
  #size: number;

  constructor(durable: Buffer) {
    this.#bytes = Buffer.from(durable);
    this.#durableSize = durable.length;
    this.#size = durable.length;
  }

  /** How many changes there ever were. */
  get changed(): number {
    return this.#gone + this.#changes.length;
  }

  write(offset: number, data: Buffer): void {
    this.#size = Math.max(this.#size, offset + data.length);
    this.#changes.push({ offset, data, size: this.#size });
  }

  truncate(size: number): void {
    const data = Buffer.alloc(Math.max(0, this.#size - size));
    this.#size = size;
    this.#changes.push({ offset: size, data, size });
  }

  /** The first so many changes that there ever were are durable. */
  synced(changed: number): void {
    const synced = this.#changes.splice(0, Math.max(0, changed - this.#gone));
    this.#gone += synced.length;
    for (const { offset, data, size } of synced) {
      const end = offset + data.length;
      if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], end * 2);
      data.copy(this.#bytes, offset);
      this.#durableSize = size;
    }
  }

  get #durable(): Buffer {
    return this.#bytes.subarray(0, this.#durableSize);
  }

  content(): Buffer {
    return this.#with(this.#changes, this.#size);
  }

  afterPowerLoss(fate: Fate): Buffer {
    const changes = this.#changes;
    if (changes.length === 0 || fate.data === 'kept') return this.content();
    if (fate.data === 'dropped') return Buffer.from(this.#durable);
    // A size is written apart from what stands in the file.
    const sizes = [this.#durable.length, ...changes.map((change) => change.size)];
    const size =
      sizes[fate.random() < 0.5 ? sizes.length - 1 : Math.floor(fate.random() * sizes.length)] ?? 0;
    if (fate.data === 'writes') {
      const share = fate.random();
      return this.#with(
        changes.filter(() => fate.random() < share),
        size,
        fate,
      );
    }
    return this.#with(torn(changes, fate.data === 'sectors' ? SECTOR : PAGE, fate.random), size, fate);
  }

  /** The durable content with some changes. What none of them wrote is filled. */
  #with(changes: readonly Change[], size: number, fate?: Fate): Buffer {
    const content = Buffer.alloc(Math.max(size, this.#durable.length));
    if (fate?.fill === 'garbage' && size > this.#durable.length)
      content.fill(garbage(fate.random), this.#durable.length);
    this.#durable.copy(content);
    for (const { offset, data } of changes) if (offset < content.length) data.copy(content, offset);
    return content.subarray(0, size);
  }
}

function garbage(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: GARBAGE_BYTES }, () => Math.floor(random() * 256)));
}

/**
 * Each unit of the disk is written as a whole, at any time: it has what stood there after one of the changes, or before all of them. So of a unit's
 * changes, in their order, all up to one are there.
 */
function torn(changes: readonly Change[], unit: number, random: () => number): Change[] {
  const counts = new Map<number, number>();
  const each = (visit: (change: Change, at: number) => void) => {
    for (const change of changes) {
      const end = change.offset + change.data.length;
      for (let at = Math.floor(change.offset / unit); at * unit < end; at += 1) visit(change, at);
    }
  };
  each((_, at) => counts.set(at, (counts.get(at) ?? 0) + 1));
  const left = new Map([...counts].map(([at, count]) => [at, Math.floor(random() * (count + 1))]));
  const parts: Change[] = [];
  each(({ offset, data, size }, at) => {
    const still = left.get(at) as number;
    if (still === 0) return;
    left.set(at, still - 1);
    const from = Math.max(0, at * unit - offset);
    parts.push({ offset: offset + from, data: data.subarray(from, (at + 1) * unit - offset), size });
  });
  return parts;
}
