import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from './apiServer.ts';
import { ApiServerError } from './apiServer.ts';
import type { Pod, PodDirectory } from './podDirectory.ts';

/** Pods read at a time. */
const PAGE_PODS = 500;
/** The server ends a watch after so long, in s; the next one goes on from there. */
const WATCH_SECONDS = 300;
const BACKOFF_MS = { first: 500, most: 30_000 };
/** The revision that a watch would go on from is not kept any more. */
const GONE = 410;

interface PodList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly Pod[];
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: Pod }
  | { readonly type: 'ERROR'; readonly object: { readonly code?: number; readonly message?: string } };

/** Hears of a watch that failed and is tried again. */
export type WatchTrouble = (error: Error) => void;

/** Keeps a directory of pods as the API server has them: lists them once, then watches what changes. */
export class PodWatch implements AsyncDisposable {
  readonly #api: ApiServer;
  readonly #path: string;
  readonly #directory: PodDirectory;
  readonly #trouble: WatchTrouble;
  readonly #end = new AbortController();
  #isSynced = false;
  #running: Promise<void> = Promise.resolve();

  /** `namespace` empty: of all namespaces. */
  constructor(api: ApiServer, namespace: string, directory: PodDirectory, trouble: WatchTrouble) {
    this.#api = api;
    this.#path =
      namespace === '' ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
    this.#directory = directory;
    this.#trouble = trouble;
  }

  /** Whether all pods were listed once; the directory is of use from then on. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Begins. It does not wait for the API server, which may come later than this one. */
  start(): void {
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Asks for the pod at an address now: a watch may be late. Throws an ApiServerError or what the connection failed with. */
  async find(address: string): Promise<void> {
    const selector = encodeURIComponent(`status.podIP=${address}`);
    const signal = this.#end.signal;
    const { items = [] } = (await this.#api.get(
      `${this.#path}?fieldSelector=${selector}`,
      signal,
    )) as PodList;
    for (const pod of items) this.#directory.put(pod);
  }

  async #run(): Promise<void> {
    let failures = 0;
    let version: string | undefined;
    while (!this.#end.signal.aborted) {
      try {
        version ??= await this.#list();
        failures = 0;
        version = await this.#watch(version);
      } catch (error) {
        version = undefined;
        if (this.#end.signal.aborted) return;
        failures += 1;
        this.#trouble(error as Error);
        await this.#pause(failures);
      }
    }
  }

  /** Resolves to the revision that was listed. */
  async #list(): Promise<string> {
    const pods: Pod[] = [];
    let next: string | undefined;
    for (;;) {
      const more: string = next === undefined ? '' : `&continue=${encodeURIComponent(next)}`;
      const page = (await this.#api.get(
        `${this.#path}?limit=${PAGE_PODS}${more}`,
        this.#end.signal,
      )) as PodList;
      pods.push(...(page.items ?? []));
      next = page.metadata?.continue;
      if (next !== undefined && next !== '') continue;
      this.#directory.replaceAll(pods);
      this.#isSynced = true;
      return page.metadata?.resourceVersion ?? '';
    }
  }

  /** Resolves to the revision to go on from when the server ends the watch; to undefined where all must be listed anew. */
  async #watch(from: string): Promise<string | undefined> {
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${encodeURIComponent(from)}`;
    let version: string | undefined = from;
    for await (const line of this.#api.lines(`${this.#path}?${query}`, this.#end.signal)) {
      const event = line as WatchEvent;
      switch (event.type) {
        case 'ADDED':
        case 'MODIFIED':
          this.#directory.put(event.object);
          break;
        case 'DELETED':
          this.#directory.remove(event.object);
          break;
        case 'BOOKMARK':
          break;
        case 'ERROR':
          if (event.object.code === GONE) return undefined;
          throw new ApiServerError(event.object.code ?? 0, event.object.message ?? 'the watch failed');
        default:
          // Later versions may tell more; what is not understood changes nothing.
          event satisfies never;
          continue;
      }
      version = event.object.metadata.resourceVersion ?? version;
    }
    return version;
  }

  async #pause(failures: number): Promise<void> {
    const ms = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (failures - 1));
    // Ended early by a stop.
    await sleep(ms, undefined, { signal: this.#end.signal }).catch(() => undefined);
  }
}
