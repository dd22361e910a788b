import { setImmediate } from 'node:timers/promises';
import type { Counts } from '../counting/counts.ts';
import { UnavailableError } from '../core/errors.ts';
import type { Claim, Share } from '../core/memory.ts';
import type { Clock, Monotonic } from '../core/millis.ts';
import type { Label, SeriesText } from '../core/series.ts';
import type { Handout, Scrapes, SinkRequest } from '../delivery/scrape.ts';
import type { SinkIdentity } from '../delivery/scrapers.ts';
import { SINK_PREFIX } from '../delivery/scrapers.ts';
import type { Answer, Version } from './answer.ts';
import { judgeAnswer } from './answer.ts';
import type { SinkOptions } from './options.ts';
import { Pauses } from './pauses.ts';
import { Receiver } from './receiver.ts';
import { Backoff } from './retry.ts';
import { Search } from './search.ts';
import { Sizes } from './sizes.ts';
import type { SinkNews } from './sinkState.ts';
import { SinkState } from './sinkState.ts';
import { snappy } from './snappy.ts';
import { writeRequest } from './writeRequest.ts';

/** Requests begin so far apart at least, unless there is more than one takes: under load a sink gathers what comes in between, in ms. */
const GATHER_MS = 200;
/** After this an offer that nobody took is made anew, in ms: its events may have become too old for their times. */
const REMADE_AFTER_MS = 60_000;
/** What each sample takes beside its series, in bytes. */
const SAMPLE_BYTES = 40;
/** While there is no room on the disk, or in memory, in ms. */
const UNAVAILABLE_MS = 1_000;

export interface SinkParts {
  readonly scrapes: Scrapes;
  /** Whether events may be given now: of several servers one gives them, and for no longer than it leads. */
  readonly leads: () => boolean;
  readonly counts: Counts;
  /** What pages in the making may take. */
  readonly memory: Share;
  readonly clock: Clock;
  readonly elapsed: Monotonic;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly news: SinkNews;
  /** What it calls itself. */
  readonly agent: string;
}

/** A page that is offered, in the making of requests until it is settled. */
interface Page extends Handout {
  readonly offerId: number;
  /** What it takes in memory, in bytes: it is kept until it is settled. */
  readonly bytes: number;
}

/** A receiver of remote write that gets all events, one request at a time, each settled by its answer. */
export class Sink {
  readonly identity: SinkIdentity;
  readonly state: SinkState;
  readonly #options: SinkOptions;
  readonly #parts: SinkParts;
  readonly #receiver: Receiver;
  readonly #backoff: Backoff;
  readonly #pauses = new Pauses();
  readonly #search = new Search();
  readonly #labels: readonly Label[];
  readonly #mayFallBack: boolean;
  /** Entries in the next request: less after a refusal, until it is found which of them it was. */
  readonly #sizes: Sizes;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SinkOptions, parts: SinkParts) {
    this.#options = options;
    this.#parts = parts;
    this.identity = { id: SINK_PREFIX + options.name, identifiedBy: 'sink', address: options.url.host };
    this.#mayFallBack = options.protocol === 'auto';
    const version = options.protocol === 'remote-write-1' ? '1.0' : '2.0';
    this.state = new SinkState(options.name, options.url, version, parts);
    this.#receiver = new Receiver(options, parts.agent, parts.clock);
    this.#backoff = new Backoff(parts.random);
    this.#sizes = new Sizes(options.eventsMax);
    this.#labels = Object.entries(options.labels).map(([name, value]) => ({ name, value }));
  }

  start(): void {
    this.#running = this.#run();
  }

  /** There may be something new. */
  wake(): void {
    this.#pauses.wake();
  }

  /** Lets what is under way be answered for so long, in ms. What isn't then stays unsettled, and comes again after the next start. */
  async stop(ms: number): Promise<void> {
    this.#pauses.end();
    const timer = setTimeout(() => this.#receiver.close(), ms);
    await this.#running;
    clearTimeout(timer);
    this.#receiver.close();
  }

  async #run(): Promise<void> {
    while (!this.#pauses.isOver) {
      const began = this.#parts.elapsed();
      using memory = this.#parts.memory.claim();
      try {
        const handout = await this.#parts.scrapes.take(this.#request(memory));
        const { offerId, passedOver, isFull } = handout;
        this.state.passedOver += passedOver;
        if (offerId !== undefined) await this.#deliver({ ...handout, offerId, bytes: memory.held }, memory);
        if (offerId === undefined && passedOver === 0) await this.#pauses.untilWoken();
        else if (!isFull) await this.#pauses.wait(began + GATHER_MS - this.#parts.elapsed());
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        this.state.failed(error.message);
        await this.#pauses.wait(UNAVAILABLE_MS);
      }
    }
  }

  #request(memory: Claim): SinkRequest {
    const { clock, elapsed } = this.#parts;
    return {
      identity: this.identity,
      mode: 'timed',
      format: `remote write ${this.state.version}`,
      showsEnds: true,
      requestedAt: clock(),
      askedAt: elapsed(),
      connection: 0,
      throughProxy: false,
      isVariable: false,
      memory,
      addedBytes: SAMPLE_BYTES,
      eventsMax: Math.min(this.#sizes.next, this.#search.eventsMax),
      ageMaxMs: this.#options.ageMaxMs,
    };
  }

  async #deliver(page: Page, memory: Claim): Promise<void> {
    const until = this.#parts.elapsed() + REMADE_AFTER_MS;
    this.#search.come(page.covered);
    let request = await this.#write(page, memory);
    let mayBeThere = false;
    while (request.samples > 0) {
      const { version } = request;
      if (!this.#parts.leads()) {
        this.#notNow(page, mayBeThere);
        return;
      }
      const answer = await this.#receiver.send(request.body, version);
      this.state.answered(answer);
      const sent = {
        version,
        samples: request.samples,
        mayFallBack: this.#mayFallBack,
        isProven: this.state.isProven,
      };
      const judgement = judgeAnswer(answer, sent);
      if (answer.kind === 'answered' && answer.written !== undefined) this.state.isProven = true;
      if (judgement.kind === 'stored') break;
      if (judgement.kind === 'refused') {
        this.#refused(page, request, judgement.written, { answer, mayBeThere });
        return;
      }
      if (judgement.kind === 'older') {
        mayBeThere ||= judgement.mayHaveStored;
        this.state.fellBack();
        request = await this.#write(page, memory);
        continue;
      }
      this.state.failed(judgement.why);
      mayBeThere ||= answer.kind === 'answered' || answer.mayHaveArrived;
      await this.#pauses.wait(this.#backoff.next(judgement.retryAfterMs));
      if (this.#pauses.isOver) return;
      this.state.retries += 1;
      // What is too large for its network must not come whole for ever.
      const isTooSlow = answer.kind === 'none' && answer.isTimeout;
      if (!isTooSlow && this.#parts.elapsed() < until) continue;
      if (isTooSlow) this.#sizes.tooMany(page.count);
      this.#notNow(page, mayBeThere);
      return;
    }
    if (request.samples > 0) this.state.stored();
    this.#backoff.reset();
    this.#search.settled(page.covered);
    this.#parts.scrapes.observe(this.identity.id, page.offerId, 'stored');
    this.#sizes.stored(page.count);
  }

  /** One alone is dropped; several come again in smaller requests, until those that are refused stand alone. */
  #refused(
    page: Page,
    request: Written,
    written: number | undefined,
    { answer, mayBeThere }: { readonly answer: Answer; readonly mayBeThere: boolean },
  ): void {
    const { scrapes, counts } = this.#parts;
    const { id } = this.identity;
    this.#backoff.reset();
    // An earlier request of it, or this one, may have brought some.
    if (mayBeThere || (page.count > 1 && (written ?? 0) > 0)) scrapes.flushed(id, page.offerId);
    if (page.count > 1) {
      const perhaps = mayBeThere ? page.count : page.perhaps;
      this.#search.begin(
        page.covered,
        written === undefined ? undefined : request.samples - written,
        perhaps,
      );
      this.#sizes.refused(page.count);
      scrapes.observe(id, page.offerId, 'refused');
      return;
    }
    this.#sizes.found();
    const before = counts.dropped.refused;
    scrapes.observe(id, page.offerId, this.#search.refusedAlone());
    this.#search.settled(page.covered);
    if (counts.dropped.refused === before || answer.kind === 'none') return;
    const { status, words } = answer;
    this.state.dropped(request.first, status, words === '' ? String(status) : `${status}: ${words}`);
  }

  #notNow(page: Page, mayBeThere: boolean): void {
    const { scrapes } = this.#parts;
    const { id } = this.identity;
    if (mayBeThere) scrapes.flushed(id, page.offerId);
    scrapes.observe(id, page.offerId, 'notNow');
  }

  async #write({ runs, bytes }: Page, memory: Claim): Promise<Written> {
    const { version } = this.state;
    const request = writeRequest(version, this.#labels);
    let first: SeriesText | undefined;
    for (const run of runs) {
      const entries = run.entries();
      first ??= entries[0]?.series;
      for (const _ of request.add(entries)) await setImmediate();
      await setImmediate();
    }
    const body = snappy(request.finish());
    memory.resize(bytes + body.length);
    return { version, body, samples: request.samples, first };
  }
}

interface Written {
  /** That it is written in: what else is sent may change it meanwhile. */
  readonly version: Version;
  /** Compressed. */
  readonly body: Uint8Array;
  readonly samples: number;
  readonly first: SeriesText | undefined;
}
