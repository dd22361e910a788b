import type { Answer, Shown } from './client.ts';
import type { Load, Post, Scrape } from './load.ts';
import { KNOWN } from './load.ts';
import type { Deed } from './recording.ts';

/** What was sent on one connection, and by which deed. */
interface Sent {
  readonly deed: number;
  readonly from: number;
  to: number;
}

/** What others had been told before a moment, which therefore must hold after a loss of power at it. */
export interface Told {
  readonly answered: ReadonlySet<Post>;
  readonly scrapers: ReadonlyMap<string, ToldScraper>;
}

export interface ToldScraper {
  /** When it was answered for the first time; what was sent later is for it. */
  readonly knownAt: number;
  /** Entries of which at least the beginning of a response went out. */
  readonly shown: ReadonlyMap<string, Shown>;
  /** Entries of responses that went out whole: an untimed one may count as delivered. */
  readonly had: ReadonlySet<string>;
  /** Entries that it had had before a later offer went out, which didn't have them. */
  readonly settled: ReadonlySet<string>;
}

interface Scraper extends ToldScraper {
  readonly shown: Map<string, Shown>;
  readonly had: Set<string>;
  readonly settled: Set<string>;
}

/** Finds out what was told when, by the order in which things were sent. */
export class Facts {
  readonly #scrapers = new Map<string, Scraper>();
  readonly #answered = new Set<Post>();
  /** What a server offered though it was settled, not on a disk that lost its power, but while it was recorded. */
  readonly offeredAgain: string[] = [];
  /** What is to be noted at a deed; in order. */
  readonly #notes: { readonly deed: number; readonly note: () => void }[] = [];
  #next = 0;

  /** The deeds of each life, with the number of the first of them. */
  constructor(load: Load, lives: readonly { readonly first: number; readonly deeds: readonly Deed[] }[]) {
    const sent = lives.map(({ first, deeds }) => sentBy(first, deeds));
    const deedOf = ({ life, port }: Answer, byte: number): number => {
      const part = sent[life]?.get(port)?.find(({ from, to }) => from <= byte && byte < to);
      if (part === undefined) throw new Error(`what came from port ${port} of life ${life} was never sent`);
      return part.deed;
    };
    for (const id of KNOWN) this.#scrapers.set(id, aScraper(-Infinity));
    for (const post of load.posts) {
      const { answer } = post;
      if (answer !== undefined) this.#note(deedOf(answer, answer.from), () => this.#answered.add(post));
    }
    for (const scrape of load.scrapes) this.#noteScrape(scrape, deedOf);
    this.#notes.sort((a, b) => a.deed - b.deed);
  }

  /** What was told by the deeds up to one; each time of the same or a later one. */
  upTo(deed: number): Told {
    for (; (this.#notes[this.#next]?.deed ?? Infinity) <= deed; this.#next += 1)
      this.#notes[this.#next]?.note();
    return { answered: this.#answered, scrapers: this.#scrapers };
  }

  #noteScrape(
    { scraper: id, shown, answer, readAt }: Scrape,
    deedOf: (answer: Answer, byte: number) => number,
  ): void {
    this.#note(deedOf(answer, answer.from), () => {
      const scraper = this.#scrapers.get(id) ?? aScraper(readAt);
      this.#scrapers.set(id, scraper);
      if (shown.length === 0) return;
      // An offer is durable before it is sent, and has all that isn't settled. So is then settled what it had, and doesn't have now.
      const keys = new Set(shown.map(({ key }) => key));
      for (const key of scraper.had) if (!keys.has(key)) scraper.settled.add(key);
      for (const each of shown) {
        if (scraper.settled.has(each.key)) this.offeredAgain.push(`${id}: ${each.key}`);
        scraper.shown.set(each.key, each);
      }
    });
    this.#note(deedOf(answer, answer.to - 1), () => {
      for (const { key } of shown) this.#scrapers.get(id)?.had.add(key);
    });
  }

  #note(deed: number, note: () => void): void {
    this.#notes.push({ deed, note });
  }
}

function aScraper(knownAt: number): Scraper {
  return { knownAt, shown: new Map(), had: new Set(), settled: new Set() };
}

/** What went to each client, by its port. */
function sentBy(first: number, deeds: readonly Deed[]): Map<number, Sent[]> {
  const byPort = new Map<number, Sent[]>();
  const byDescriptor = new Map<number, Sent[]>();
  for (const [index, deed] of deeds.entries()) {
    if (deed.kind === 'accept') {
      if (byPort.has(deed.port)) throw new Error(`port ${deed.port} was used twice`);
      const sent: Sent[] = [];
      byPort.set(deed.port, sent);
      byDescriptor.set(deed.fd, sent);
    } else if (deed.kind === 'send') {
      const sent = byDescriptor.get(deed.fd);
      const from = sent?.at(-1)?.to ?? 0;
      sent?.push({ deed: first + index, from, to: from + deed.bytes });
    } else if (deed.kind === 'unsent') {
      const last = byDescriptor.get(deed.fd)?.at(-1);
      if (last !== undefined) last.to -= deed.bytes;
    }
  }
  return byPort;
}
