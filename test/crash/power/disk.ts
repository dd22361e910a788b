import { constants } from 'node:fs';
import type { Deed } from './recording.ts';
import { DiskFile } from './diskFile.ts';

/** A name in a folder leads to a file, or to a folder. */
type Inode = DiskFile | 'folder';

/** A change of the list of names in a folder. */
interface NameChange {
  readonly folder: string;
  /** Every name it concerns: of these no later change can be durable without this one. */
  readonly names: readonly string[];
  apply(names: Map<string, Inode>): void;
}

/** What may be left of a disk, of what wasn't synced. */
export interface Fate {
  /** In [0, 1). */
  readonly random: () => number;
  /** `kept`: all of it; `dropped`: none; `writes`: each write by itself; `sectors` and `pages`: each 512 or 4,096 bytes by themselves. */
  readonly data: 'kept' | 'dropped' | 'writes' | 'sectors' | 'pages';
  /** `ordered`: changes of names up to one, as a file system with a journal has them; `any`: each by itself. */
  readonly names: 'kept' | 'dropped' | 'ordered' | 'any';
  /** What stands in bytes that a file got by becoming longer, and that were never written: zeros, or anything. */
  readonly fill: 'zeros' | 'garbage';
}

/** Files and folders, by their paths; a folder has no content. */
export type Content = ReadonlyMap<string, Buffer | 'folder'>;

/** What was opened. */
interface Opened {
  readonly inode: Inode;
  readonly path: string;
}

/**
 * A disk under a process whose deeds are given one after the other. What is synced is durable; of what is not, anything may be there after a
 * loss of power. A name is durable only once its folder is synced, whatever was done with its file.
 */
export class Disk {
  /** As the process sees it. */
  readonly #names = new Map<string, Inode>();
  readonly #durable = new Map<string, Inode>();
  #changes: NameChange[] = [];
  #changesGone = 0;
  readonly #open = new Map<number, Opened>();
  /** Syncs that are under way: how many changes each has before it, by descriptor. */
  readonly #syncs = new Map<number, number[]>();

  /** Begins with what is durable. */
  constructor(content: Content) {
    for (const [path, bytes] of content) {
      const inode = bytes === 'folder' ? bytes : new DiskFile(bytes);
      this.#names.set(path, inode);
      this.#durable.set(path, inode);
    }
    for (const names of [this.#names, this.#durable]) names.set('', 'folder');
  }

  /** How many changes of names there were, durable or not. */
  get namesChanged(): number {
    return this.#changesGone + this.#changes.length;
  }

  /** The process has ended, and the machine goes on: nothing is lost. */
  endProcess(): void {
    this.#open.clear();
    this.#syncs.clear();
  }

  do(deed: Deed): void {
    switch (deed.kind) {
      case 'open':
        return this.#doOpen(deed.fd, deed.path, deed.flags);
      case 'close':
        this.#open.delete(deed.fd);
        return;
      case 'write':
        return this.#file(deed.fd)?.write(deed.offset, deed.data);
      case 'truncate':
        return this.#file(deed.fd)?.truncate(deed.size);
      case 'syncBegin':
        return this.#beginSync(deed.fd);
      case 'syncEnd':
        return this.#endSync(deed.fd);
      case 'rename':
      case 'link':
        return this.#move(deed.path, deed.to, deed.kind === 'rename');
      case 'mkdir':
        return this.#change([deed.path], (names) => names.set(deed.path, 'folder'));
      case 'unlink':
      case 'rmdir':
        return this.#change([deed.path], (names) => names.delete(deed.path));
      case 'accept':
      case 'send':
      case 'unsent':
        return;
      default:
        return deed satisfies never;
    }
  }

  /** What a process sees now. */
  content(): Content {
    return contentOf(this.#names, (file) => file.content());
  }

  /** What may be there after a loss of power at this moment. */
  afterPowerLoss(fate: Fate): Content {
    const names = new Map(this.#durable);
    const lost = new Set<string>();
    const ordered = Math.floor(fate.random() * (this.#changes.length + 1));
    for (const [index, change] of this.#changes.entries()) {
      const isThere = {
        kept: () => true,
        dropped: () => false,
        ordered: () => index < ordered,
        any: () => fate.random() < 0.5 && !change.names.some((name) => lost.has(name)),
      }[fate.names]();
      if (isThere) change.apply(names);
      else for (const name of change.names) lost.add(name);
    }
    return contentOf(names, (file) => file.afterPowerLoss(fate));
  }

  #doOpen(fd: number, path: string, flags: number): void {
    const there = this.#names.get(path);
    if (there === undefined) {
      if ((flags & constants.O_CREAT) === 0) throw new Error(`${path} is opened, but was never made`);
      const file = new DiskFile(Buffer.alloc(0));
      this.#change([path], (names) => names.set(path, file));
    } else if (there !== 'folder' && (flags & constants.O_TRUNC) !== 0) {
      there.truncate(0);
    }
    this.#open.set(fd, { inode: this.#names.get(path) as Inode, path });
  }

  #move(from: string, to: string, isRename: boolean): void {
    const inode = this.#names.get(from);
    if (inode === undefined) throw new Error(`${from} is renamed, but was never made`);
    if (folderOf(from) !== folderOf(to)) throw new Error(`${from} is moved to another folder: not simulated`);
    this.#change([from, to], (names) => {
      if (isRename) names.delete(from);
      names.set(to, inode);
    });
  }

  #change(names: readonly string[], apply: (names: Map<string, Inode>) => void): void {
    const change = { folder: folderOf(names[0] as string), names, apply };
    this.#changes.push(change);
    apply(this.#names);
  }

  #file(fd: number): DiskFile | undefined {
    const inode = this.#open.get(fd)?.inode;
    if (inode === undefined || inode === 'folder') throw new Error(`descriptor ${fd} is no open file`);
    return inode;
  }

  #beginSync(fd: number): void {
    const { inode } = this.#open.get(fd) as Opened;
    const before = inode === 'folder' ? this.#changesGone + this.#changes.length : inode.changed;
    this.#syncs.set(fd, [...(this.#syncs.get(fd) ?? []), before]);
  }

  /** Of several syncs of one descriptor at a time, the first that began is taken for the first to end: it has the least before it. */
  #endSync(fd: number): void {
    const opened = this.#open.get(fd);
    const before = this.#syncs.get(fd)?.shift();
    if (opened === undefined || before === undefined) throw new Error(`the sync of ${fd} never began`);
    if (opened.inode !== 'folder') return opened.inode.synced(before);
    const synced = this.#changes.slice(0, before - this.#changesGone);
    const rest = this.#changes.slice(synced.length);
    const others: NameChange[] = [];
    for (const change of synced) {
      if (change.folder === opened.path) change.apply(this.#durable);
      else others.push(change);
    }
    // Those of other folders move up: a later sync counts them as what was there before it.
    this.#changesGone += synced.length - others.length;
    this.#changes = [...others, ...rest];
  }
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** Names whose folder is not there lead nowhere. */
function contentOf(names: ReadonlyMap<string, Inode>, read: (file: DiskFile) => Buffer): Content {
  const content = new Map<string, Buffer | 'folder'>();
  // A file may have two names.
  const bytes = new Map<DiskFile, Buffer>();
  const once = (file: DiskFile): Buffer => {
    const known = bytes.get(file) ?? read(file);
    bytes.set(file, known);
    return known;
  };
  const isThere = (path: string): boolean => path === '' || (names.has(path) && isThere(folderOf(path)));
  for (const [path, inode] of names)
    if (path !== '' && isThere(path)) content.set(path, inode === 'folder' ? inode : once(inode));
  return content;
}
