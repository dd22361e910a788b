import type { IdPlace, Ids } from '../ids.ts';

type Found = Awaited<ReturnType<Ids['knownIds']>>;

interface Asker {
  readonly ids: readonly string[];
  readonly resolve: (found: Found) => void;
  readonly reject: (why: unknown) => void;
}

/** Lookups at once; what comes meanwhile goes together into the next. */
const LOOKUPS_MAX = 2;
/** Ids of one lookup, unless one asks for more. */
const IDS_MAX = 5_000;

/** Looks for the ids of all who ask at the same time by one statement. */
export class IdLookups {
  readonly #find: (ids: readonly string[]) => Promise<Found>;
  #askers: Asker[] = [];
  #underWay = 0;
  #isScheduled = false;

  constructor(find: (ids: readonly string[]) => Promise<Found>) {
    this.#find = find;
  }

  /** Those that are found, in the order in which they were asked for. */
  find(ids: readonly string[]): Promise<Found> {
    return new Promise((resolve, reject) => {
      this.#askers.push({ ids, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay >= LOOKUPS_MAX || this.#askers.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    const askers = this.#take();
    this.#underWay += 1;
    this.#schedule();
    try {
      const [only, ...others] = askers;
      const asked = others.length === 0 ? (only?.ids ?? []) : askers.flatMap(({ ids }) => ids);
      const found = await this.#find(asked);
      for (const { ids, resolve } of askers) resolve(others.length === 0 ? found : partOf(found, ids));
    } catch (error) {
      for (const { reject } of askers) reject(error);
    } finally {
      this.#underWay -= 1;
      this.#schedule();
    }
  }

  #take(): readonly Asker[] {
    let ids = 0;
    let count = 0;
    for (const asker of this.#askers) {
      ids += asker.ids.length;
      if (count > 0 && ids > IDS_MAX) break;
      count += 1;
    }
    return this.#askers.splice(0, count);
  }
}

function partOf(found: Found, ids: readonly string[]): Found {
  const part = new Map<string, IdPlace | undefined>();
  for (const id of found.size === 0 ? [] : ids) {
    if (found.has(id)) part.set(id, found.get(id));
  }
  return part;
}
