import { createHash } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SealedEvent } from '../../client/event.ts';
import { ID_RULE, isSendableId } from '../../client/event.ts';
import { shown } from '../../core/errors.ts';
import type { Clock } from '../../core/millis.ts';
import { readOwnFile, sharedBecause } from './ownFile.ts';
import { makeDurably, writeDurably } from './durableFile.ts';
import type { ItemName } from './itemName.ts';
import { claimedName, readItemName, temporaryName, writeItemName, writtenUntil } from './itemName.ts';

export interface SpoolLimits {
  /** Events for one server, and the bytes of their files. */
  readonly itemsMax: number;
  readonly bytesMax: number;
  /** Refused events that are kept to be looked at; beyond it the oldest go. */
  readonly refusedMax: number;
}

export const SPOOL_LIMITS: SpoolLimits = { itemsMax: 10_000, bytesMax: 64 * 1024 * 1024, refusedMax: 1_000 };

/** No claim lasts longer, in ms: one that seems to was made by a clock that was wrong. */
const CLAIM_MAX_MS = 60 * 60 * 1000;

export interface SpoolParts {
  readonly clock: Clock;
  readonly randomId: () => string;
  /** How long a claim lasts, in ms: longer than the sending of one event may take. */
  readonly claimMs: number;
  readonly limits?: SpoolLimits;
}

/** An event that this process, and no other, may send until the claim is over. */
export interface Claim {
  readonly waiting: string;
  readonly claimed: string;
}

/** Events can't be kept here: the folder can't be used, or is full. The message is one line that says what to do. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';
}

/** A file in the spool is not an event's. */
export class BrokenItemError extends Error {
  override readonly name = 'BrokenItemError';
}

/**
 * Events on disk that could not be sent yet, those for one server in a folder of their own. Several processes may use it at once: what one of them claims, by
 * renaming its file, the others leave alone. A claim that outlives its process ends by itself; should an event be sent twice that way,
 * its id makes it one event.
 */
export class Spool {
  /** Where the events for this server are. */
  readonly folder: string;
  readonly #parts: SpoolParts;
  readonly #limits: SpoolLimits;

  constructor(root: string, server: string, parts: SpoolParts) {
    this.folder = join(root, folderOf(server));
    this.#parts = parts;
    this.#limits = parts.limits ?? SPOOL_LIMITS;
  }

  /** Keeps an event, claimed by this process. Resolves once it is on disk. Throws a SpoolError. */
  async keep(event: SealedEvent): Promise<Claim> {
    const { clock, randomId, claimMs } = this.#parts;
    const text = `${JSON.stringify(event)}\n`;
    const size = Buffer.byteLength(text);
    try {
      await this.#checkOwn();
      await makeDurably(this.folder);
      await this.#checkOwn();
      const items = await this.#items();
      const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      if (items.length >= this.#limits.itemsMax || bytes + size > this.#limits.bytesMax)
        throw this.#full(items.length, bytes);
      const until = clock() + claimMs;
      const waiting = writeItemName(event.time, randomId(), size);
      const claimed = claimedName(waiting, until);
      await writeDurably(this.folder, temporaryName(until, randomId()), claimed, text);
      return { waiting, claimed };
    } catch (cause) {
      if (cause instanceof SpoolError) throw cause;
      throw new SpoolError(`can't keep events in ${this.folder}: ${(cause as Error).message}`, { cause });
    }
  }

  /** The events that wait and that nobody has claimed, oldest first. None where there is no folder. Throws a SpoolError. */
  async waiting(): Promise<readonly ItemName[]> {
    const items = await this.#read(() => this.#items());
    return items
      .filter((item) => !this.#isClaimed(item))
      .toSorted((a, b) => (a.waiting < b.waiting ? -1 : 1));
  }

  /** How many events wait, those that are being sent among them, and how many were refused. Throws a SpoolError. */
  async counts(): Promise<{ waiting: number; refused: number }> {
    const items = await this.#read(() => this.#items());
    const refused = await this.#read(() => names(this.#refusedFolder));
    return {
      waiting: items.length,
      refused: refused.filter((name) => readItemName(name) !== undefined).length,
    };
  }

  /** Claims a waiting event; undefined where another process was first. */
  async claim(item: ItemName): Promise<Claim | undefined> {
    const { waiting } = item;
    const claimed = claimedName(waiting, this.#parts.clock() + this.#parts.claimMs);
    return (await this.#rename(nameOf(item), claimed)) ? { waiting, claimed } : undefined;
  }

  /** The event of a claim; undefined where it is gone. Throws a BrokenItemError. */
  async read({ claimed }: Claim): Promise<SealedEvent | undefined> {
    let text: string | undefined;
    try {
      text = await readOwnFile(join(this.folder, claimed));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      if (code !== 'ELOOP' && code !== 'EACCES') throw error;
    }
    // Its owner would have this user send it.
    if (text === undefined) throw new BrokenItemError('it is not a file of this user, so it is not sent');
    return parseItem(text);
  }

  /** It was sent. */
  async remove({ claimed }: Claim): Promise<void> {
    await rm(join(this.folder, claimed), { force: true });
  }

  /** It was not sent, and waits again for anybody to do it. */
  async release({ claimed, waiting }: Claim): Promise<void> {
    await this.#rename(claimed, waiting);
  }

  /** It can't be sent, now or ever: moves it to `refused/`, with the reason in a file beside it. */
  async refuse({ claimed, waiting }: Claim, reason: string): Promise<void> {
    await makeDurably(this.#refusedFolder);
    const { clock, randomId, claimMs } = this.#parts;
    const temporary = temporaryName(clock() + claimMs, randomId());
    await writeDurably(this.#refusedFolder, temporary, `${waiting}.reason`, `${reason}\n`);
    await this.#rename(claimed, join('refused', waiting));
    await this.#pruneRefused();
  }

  get #refusedFolder(): string {
    return join(this.folder, 'refused');
  }

  async #pruneRefused(): Promise<void> {
    const kept = (await names(this.#refusedFolder))
      .filter((name) => readItemName(name) !== undefined)
      .toSorted();
    for (const name of kept.slice(0, Math.max(0, kept.length - this.#limits.refusedMax))) {
      await rm(join(this.#refusedFolder, name), { force: true });
      await rm(join(this.#refusedFolder, `${name}.reason`), { force: true });
    }
  }

  /** Throws a SpoolError where others could put events into the folder, or this is another user's. */
  async #checkOwn(): Promise<void> {
    const why = await sharedBecause(this.folder);
    if (why !== undefined) throw new SpoolError(`can't use ${this.folder}: ${why}; nothing in it is sent`);
  }

  /** All events; files that nobody finished writing are cleared away on the occasion. */
  async #items(): Promise<readonly ItemName[]> {
    const found: ItemName[] = [];
    for (const name of await names(this.folder)) {
      const until = writtenUntil(name);
      if (until !== undefined && !this.#isAhead(until)) await rm(join(this.folder, name), { force: true });
      const item = readItemName(name);
      if (item !== undefined) found.push(item);
    }
    return found;
  }

  #isClaimed({ claimedUntil }: ItemName): boolean {
    return claimedUntil !== undefined && this.#isAhead(claimedUntil);
  }

  #isAhead(until: number): boolean {
    const left = until - this.#parts.clock();
    return left > 0 && left <= CLAIM_MAX_MS;
  }

  /** False where the file is gone, since another process was first. */
  async #rename(from: string, to: string): Promise<boolean> {
    try {
      await rename(join(this.folder, from), join(this.folder, to));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    try {
      await this.#checkOwn();
      return await read();
    } catch (cause) {
      if (cause instanceof SpoolError) throw cause;
      throw new SpoolError(`can't read ${this.folder}: ${(cause as Error).message}`, { cause });
    }
  }

  #full(items: number, bytes: number): SpoolError {
    const { itemsMax, bytesMax } = this.#limits;
    return new SpoolError(
      `${this.folder} is full: it has ${items} events of ${bytes} bytes, and the limit is ${itemsMax} of ${bytesMax}; run oneshot spool flush, or remove files`,
    );
  }
}

/** A folder's name for a server: readable, and different for different servers. */
export function folderOf(server: string): string {
  const { origin, pathname } = new URL(server);
  const place = `${origin}${pathname}`.replace(/\/+$/, '');
  const readable = place
    .replace(/^https?:\/\//, '')
    .replaceAll(/[^a-zA-Z0-9.-]+/g, '_')
    .slice(0, 80);
  return `${readable}-${createHash('sha256').update(place).digest('hex').slice(0, 8)}`;
}

function nameOf({ waiting, claimedUntil }: ItemName): string {
  return claimedUntil === undefined ? waiting : claimedName(waiting, claimedUntil);
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function parseItem(text: string): SealedEvent {
  let item: unknown;
  try {
    item = JSON.parse(text);
  } catch (cause) {
    throw new BrokenItemError('the file is not JSON', { cause });
  }
  const { id, time, form, json, query, hasOwnId } = (item ?? {}) as Record<string, unknown>;
  if (typeof id === 'string' && Number.isSafeInteger(time)) {
    const sealed = { id, time: time as number };
    if (typeof form === 'string') return sendable({ ...sealed, form });
    if (typeof json === 'string' && typeof query === 'string' && typeof hasOwnId === 'boolean')
      return hasOwnId ? { ...sealed, json, query, hasOwnId } : sendable({ ...sealed, json, query, hasOwnId });
  }
  throw new BrokenItemError('the file has no id, time and form');
}

/** An event whose id is sent in a header. One that no header can carry would never get out, and hold up all others. */
function sendable<T extends SealedEvent>(event: T): T {
  if (isSendableId(event.id)) return event;
  throw new BrokenItemError(`the id ${shown(event.id)} in the file can't be sent; ${ID_RULE}`);
}
