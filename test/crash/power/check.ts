import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../../../src/core/entry.ts';
import { millis } from '../../../src/core/millis.ts';
import { SqliteLog } from '../../../src/log/sqlite/sqliteLog.ts';
import { readAll } from '../../contract/support/builders.ts';
import { Harness, numberOf } from '../../support/harness.ts';
import { isEnd, keyOf } from './client.ts';
import type { Content } from './disk.ts';
import type { Told } from './facts.ts';
import type { Post } from './load.ts';
import { KNOWN } from './load.ts';

/** What is expected of a disk. */
export interface Expected {
  /** All that was ever posted, also after the loss of power. */
  readonly posts: readonly Post[];
  readonly told: Told;
  /** Whether parts of the log may have to be repaired, without a loss. */
  readonly mayRepair?: boolean;
}

/** Ids that are looked up. */
const NEWEST_IDS = 100;

/** Puts files and folders at a path, in place of what is there. */
export function layOut(content: Content, path: string): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  for (const [name, bytes] of content)
    if (bytes === 'folder') mkdirSync(join(path, name), { recursive: true });
  for (const [name, bytes] of content) if (bytes !== 'folder') writeFileSync(join(path, name), bytes);
}

/**
 * Opens the log in a folder as the server does, without its HTTP side, and says what of that is not as it was told. This changes the
 * folder.
 */
export async function problemsOf(path: string, expected: Expected): Promise<string[]> {
  const problems: string[] = [];
  // Nothing here survives the test, so nothing has to be synced.
  const log = new SqliteLog({ path, durability: 'process' });
  log.onBroken((error) => problems.push(`the log is broken: ${error.message}`));
  log.onDamage(({ after, upTo, why }) => problems.push(`damage from ${after + 1} to ${upTo}: ${why}`));
  log.onRepair(({ part, lost }) => {
    if (lost > 0 || expected.mayRepair !== true)
      problems.push(`${part} had to be repaired, and lost ${lost}`);
  });
  try {
    await log.start();
    await new Look(log, expected, problems).look();
  } catch (error) {
    problems.push(`${(error as Error).stack}`);
  } finally {
    await log[Symbol.asyncDispose]();
  }
  return problems;
}

/** One look at a log that is open. */
class Look {
  readonly #log: SqliteLog;
  readonly #expected: Expected;
  readonly #problems: string[];
  readonly #entries = new Map<string, Entry>();
  /** Posts whose events are all there. */
  readonly #stored: Post[] = [];
  readonly #harness: Harness;

  constructor(log: SqliteLog, expected: Expected, problems: string[]) {
    this.#log = log;
    this.#expected = expected;
    this.#problems = problems;
    this.#harness = new Harness(log, { eventsMax: 1_000_000, bytesMax: 1 << 30 });
    this.#harness.now = millis(Date.now());
  }

  async look(): Promise<void> {
    await this.#readEntries();
    this.#lookAtPosts();
    await this.#lookAtIds();
    await this.#harness.start(KNOWN);
    for (const id of this.#expected.told.scrapers.keys()) await this.#lookAtScraper(id);
    await this.#lookWhetherItGoesOn();
  }

  async #readEntries(): Promise<void> {
    let last = this.#log.state().trimmed as number;
    for (const entry of await readAll(this.#log)) {
      const key = keyOf(numberOf(entry), entry.kind);
      if (this.#entries.has(key)) this.#found(`${key} is in the log twice`);
      if (entry.offset !== last + 1) this.#found(`${entry.offset} comes after ${last}`);
      last = entry.offset;
      this.#entries.set(key, entry);
    }
    if (last !== this.#log.state().end) this.#found(`the log ends at ${last}, not at its end`);
  }

  /** An entry that is in the log, or that was trimmed: that needs all scrapers to have had it, if they are shown such entries. */
  #isAccountedFor(key: string): boolean {
    if (this.#entries.has(key)) return true;
    if (this.#log.state().trimmed === 0) return false;
    const shownTo = isEnd(key) ? ['timed'] : KNOWN;
    return shownTo.every((id) => this.#expected.told.scrapers.get(id)?.had.has(key) === true);
  }

  #lookAtPosts(): void {
    for (const post of this.#expected.posts) {
      const missing = post.names.filter((name) => !this.#isAccountedFor(name));
      if (missing.length === 0) this.#stored.push(post);
      else if (this.#expected.told.answered.has(post))
        this.#found(`G1: ${missing[0]} was accepted, and is missing`);
      else if (missing.length < post.names.length)
        this.#found(`G1: a part of a batch is there, without ${missing[0]}`);
    }
  }

  /** An id is known if its event is there, and only then. All are counted, and the newest looked up. */
  async #lookAtIds(): Promise<void> {
    const ids = this.#stored.flatMap((post) => post.ids);
    const { ids: count } = this.#log.state();
    if (count !== ids.length) this.#found(`G4: ${count} ids are known, and not ${ids.length}`);
    const newest = ids.slice(-NEWEST_IDS);
    const known = await this.#log.knownIds(newest);
    for (const id of newest)
      if (!known.has(id)) this.#found(`G4: ${id} is not known, and its event is there`);
  }

  async #lookAtScraper(id: string): Promise<void> {
    const told = this.#expected.told.scrapers.get(id);
    if (told === undefined) return;
    const record = this.#harness.scrapers.get(id);
    if (record === undefined) {
      this.#found(`G2: ${id} was answered, and is not known`);
      return;
    }
    const { entries } = await this.#harness.scrape(id, id === 'untimed' ? 'untimed' : 'timed');
    const offered = new Set(entries.map((entry) => keyOf(numberOf(entry), entry.kind)));
    for (const key of told.settled) if (offered.has(key)) this.#found(`G2: ${id} is offered ${key} again`);
    for (const { names, sentAt } of this.#expected.told.answered) {
      if (sentAt < told.knownAt) continue;
      const lost = names.find((name) => !offered.has(name) && !told.had.has(name));
      if (lost !== undefined) this.#found(`G2, G3: ${id} never gets ${lost}`);
    }
    for (const { key, time } of told.shown.values()) {
      const entry = this.#entries.get(key);
      if (!this.#isAccountedFor(key)) this.#found(`G3: ${id} was shown ${key}, which is missing`);
      else if (entry !== undefined && time !== undefined && entry.time !== time)
        this.#found(`G8: ${id} was shown ${key} at ${time}, which is now at ${entry.time}`);
    }
  }

  async #lookWhetherItGoesOn(): Promise<void> {
    const { end } = this.#log.state();
    await this.#harness.postBatch([{ n: 'after', id: 'after' }]);
    const last = (await this.#log.read(end, this.#log.state().end, { entriesMax: 2, bytesMax: 1 << 20 }))
      .entries;
    if (last.length !== 1 || last[0]?.offset !== end + 1) this.#found('the log does not go on');
  }

  #found(problem: string): void {
    this.#problems.push(problem);
  }
}
