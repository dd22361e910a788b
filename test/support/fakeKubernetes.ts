import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Pod } from '../../src/kubernetes/podDirectory.ts';

/** A pod as the API server tells of it. */
export function aPod(name: string, ip: string, owner: 'StatefulSet' | 'ReplicaSet' = 'StatefulSet'): Pod {
  return {
    metadata: {
      namespace: 'monitoring',
      name,
      uid: `uid-${name}-${ip}`,
      ownerReferences: [{ kind: owner, controller: true }],
    },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
  };
}

type Change = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Pod };

/**
 * The part of a Kubernetes API server that a watch of pods speaks with: lists in pages, field selectors, watches from a revision with
 * bookmarks, 410 for revisions that are forgotten, 401 without the token. Its own HTTP is plain unless a listener is wrapped by the test.
 */
export class FakeKubernetes implements AsyncDisposable {
  readonly token = 'a-service-account-token';
  /** What was asked for, newest last. */
  readonly requests: string[] = [];
  /** While set, nothing but this status is answered. */
  failing: number | undefined;
  pageSize = 2;
  readonly #server: Server;
  readonly #pods = new Map<string, Pod>();
  readonly #history: { readonly revision: number; readonly change: Change }[] = [];
  readonly #watches = new Set<ServerResponse>();
  #revision = 100;
  #forgottenUpTo = 0;

  constructor(serve: (listener: RequestListener) => Server = (listener) => createServer(listener)) {
    this.#server = serve((request, response) => this.#answer(request, response));
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get watching(): number {
    return this.#watches.size;
  }

  /** A pod is there now. With `quietly` no watch hears of it, as when a watch is late. */
  put(pod: Pod, quietly = false): void {
    const type = this.#pods.has(pod.metadata.uid) ? 'MODIFIED' : 'ADDED';
    this.#pods.set(pod.metadata.uid, pod);
    this.#change({ type, object: pod }, quietly);
  }

  delete(pod: Pod): void {
    this.#pods.delete(pod.metadata.uid);
    this.#change({ type: 'DELETED', object: pod }, false);
  }

  bookmark(): void {
    const metadata = { resourceVersion: String(this.#revision) };
    for (const watch of this.#watches) send(watch, { type: 'BOOKMARK', object: { kind: 'Pod', metadata } });
  }

  /** Ends all watches: in an orderly way, with an error that says 410, or by cutting them in the middle of an event. */
  endWatches(how: 'end' | 'gone' | 'cut'): void {
    if (how === 'gone') this.#forgottenUpTo = this.#revision;
    for (const watch of this.#watches) {
      if (how === 'gone')
        send(watch, { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } });
      if (how === 'cut') {
        watch.write('{"type":"ADDED","object":{"metada');
        watch.socket?.destroy();
      } else watch.end();
    }
    this.#watches.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #change(change: Change, quietly: boolean): void {
    this.#revision += 1;
    this.#history.push({ revision: this.#revision, change });
    if (!quietly) for (const watch of this.#watches) this.#tell(watch, this.#revision, change);
  }

  /** In two pieces, since TCP may cut anywhere. */
  #tell(watch: ServerResponse, revision: number, { type, object }: Change): void {
    const metadata = { ...object.metadata, resourceVersion: String(revision) };
    const line = `${JSON.stringify({ type, object: { ...object, metadata } })}\n`;
    watch.write(line.slice(0, 25));
    watch.write(line.slice(25));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://fake');
    this.requests.push(url.pathname + url.search);
    if (this.failing !== undefined) return refuse(response, this.failing);
    if (request.headers.authorization !== `Bearer ${this.token}`) return refuse(response, 401);
    if (url.pathname !== '/api/v1/pods') return refuse(response, 404);
    if (url.searchParams.get('watch') === '1') return this.#watch(url.searchParams, response);
    return this.#list(url.searchParams, response);
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const ip = query.get('fieldSelector')?.replace('status.podIP=', '');
    const all = [...this.#pods.values()].filter(({ status }) => ip === undefined || status?.podIP === ip);
    const from = Number(query.get('continue') ?? 0);
    const upTo = from + this.pageSize;
    const metadata = {
      resourceVersion: String(this.#revision),
      ...(upTo < all.length && { continue: String(upTo) }),
    };
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ kind: 'PodList', metadata, items: all.slice(from, upTo) }));
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    if (from < this.#forgottenUpTo) return refuse(response, 410);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' });
    response.flushHeaders();
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
    for (const { revision, change } of this.#history)
      if (revision > from) this.#tell(response, revision, change);
    return undefined;
  }
}

function send(watch: ServerResponse, event: object): void {
  watch.write(`${JSON.stringify(event)}\n`);
}

function refuse(response: ServerResponse, code: number): void {
  response.writeHead(code, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code }));
}
