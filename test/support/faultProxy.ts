import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A place in a response: before its first byte, halfway, all but its last byte, after that, or so many bytes in and not all. */
export type Place = 'first' | 'middle' | 'last' | 'after' | number;

/** How one side sees a connection end: in an orderly way, or with a reset. */
export type End = 'fin' | 'rst';

/** What becomes of one response. */
export type Plan =
  | { readonly kind: 'cut'; readonly at: Place; readonly client: End; readonly server: End }
  /** Nothing more is passed on for so long, in ms; whoever gives up meanwhile, the other side hears it at once. */
  | { readonly kind: 'stall'; readonly at: Place; readonly ms: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

/** A plan that waits for its response, and whom to tell when it happens. */
interface Ordered {
  readonly plan: Plan;
  readonly struck: () => void;
}

/** How much a slowed response passes on at a time, in ms of its rate. */
const SLOW_STEP_MS = 20;
const HEAD_BYTES_MAX = 64 * 1024;

/**
 * A TCP proxy on loopback that breaks responses on demand. It passes bytes on as they come and passes each side's end to the other;
 * of HTTP it knows the Content-Length alone, by which it finds a response's last byte.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: () => number };
  readonly #pairs = new Set<Pair>();
  #pending: Ordered | undefined;
  /** How many responses began to pass. */
  responses = 0;

  /** `port` is asked at each connection, since a server may come back elsewhere. */
  constructor(target: { host: string; port: () => number }) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Does this to the next response that begins. Resolves to true when it happens, to false when none came in time. */
  async strike(plan: Plan, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pending = undefined;
        resolve(false);
      }, timeoutMs);
      const struck = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#pending = { plan, struck };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) pair.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const { host, port } = this.#target;
    const server = connect({ host, port: port(), allowHalfOpen: true, noDelay: true });
    const pair = new Pair(
      client,
      server,
      () => this.#next(),
      () => this.#pairs.delete(pair),
    );
    this.#pairs.add(pair);
  }

  /** A response begins: what is to be done to it. */
  #next(): Ordered | undefined {
    this.responses += 1;
    const taken = this.#pending;
    this.#pending = undefined;
    return taken;
  }
}

/** One connection through the proxy. */
class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #next: () => Ordered | undefined;
  /** Bytes of the response that runs: all of them once its head is read, and those passed on. */
  #total: number | undefined;
  #passed = 0;
  #held: Buffer = Buffer.alloc(0);
  #struck: Ordered | undefined;
  #timer: NodeJS.Timeout | undefined;
  #serverEnded = false;

  constructor(client: Socket, server: Socket, next: () => Ordered | undefined, gone: () => void) {
    this.#client = client;
    this.#server = server;
    this.#next = next;
    client.on('data', (bytes: Buffer) => void server.write(bytes));
    client.on('end', () => server.end());
    server.on('data', (bytes: Buffer) => this.#receive(bytes));
    server.on('end', () => {
      this.#serverEnded = true;
      if (this.#timer === undefined) this.#pump();
    });
    // A reset, or a server that isn't there: the other side gets the same.
    client.on('error', () => server.resetAndDestroy());
    server.on('error', () => client.resetAndDestroy());
    client.on('close', () => this.destroy());
    server.on('close', gone);
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#client.destroy();
    this.#server.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#timer === undefined) this.#pump();
  }

  /** Passes on what may pass. */
  #pump(): void {
    while (this.#held.length > 0 && !this.#client.destroyed) {
      if (this.#total === undefined && !this.#begin()) break;
      const allowed = this.#allowance((this.#total as number) - this.#passed);
      if (allowed === undefined) return;
      const bytes = this.#held.subarray(0, allowed);
      this.#held = this.#held.subarray(allowed);
      this.#passed += bytes.length;
      if (bytes.length > 0) this.#client.write(bytes);
      if (this.#passed < (this.#total as number)) continue;
      if (this.#isDue()) this.#allowance(0);
      this.#finish();
    }
    if (this.#serverEnded && this.#held.length === 0) this.#client.end();
  }

  /** Reads the head of a response, once it is there whole. */
  #begin(): boolean {
    const headEnd = this.#held.indexOf('\r\n\r\n');
    if (headEnd === -1) {
      if (this.#held.length > HEAD_BYTES_MAX) this.destroy();
      return false;
    }
    const head = this.#held.subarray(0, headEnd).toString('latin1');
    this.#total = headEnd + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    this.#passed = 0;
    this.#struck = this.#next();
    return true;
  }

  #finish(): void {
    this.#total = undefined;
    this.#struck = undefined;
  }

  /** How many bytes may pass now; undefined when none may for a while, or ever. */
  #allowance(left: number): number | undefined {
    const plan = this.#struck?.plan;
    if (plan === undefined) return left;
    if (plan.kind === 'slow') return this.#trickle(plan.bytesPerSecond);
    if (!this.#isDue()) return Math.min(left, this.#placeOf(plan.at) - this.#passed);
    this.#struck?.struck();
    this.#struck = undefined;
    if (plan.kind === 'stall') {
      this.#resumeAfter(plan.ms);
    } else {
      end(this.#client, plan.client);
      end(this.#server, plan.server);
    }
    return undefined;
  }

  #trickle(bytesPerSecond: number): number | undefined {
    this.#struck?.struck();
    const step = Math.max(1, Math.round((bytesPerSecond * SLOW_STEP_MS) / 1000));
    const bytes = this.#held.subarray(0, Math.min(step, (this.#total as number) - this.#passed));
    this.#held = this.#held.subarray(bytes.length);
    this.#passed += bytes.length;
    this.#client.write(bytes);
    if (this.#passed === this.#total) this.#finish();
    this.#resumeAfter(SLOW_STEP_MS);
    return undefined;
  }

  #resumeAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, ms);
  }

  /** Whether the place has been reached at which something is to happen. */
  #isDue(): boolean {
    const plan = this.#struck?.plan;
    if (plan === undefined || plan.kind === 'slow') return false;
    return this.#passed >= this.#placeOf(plan.at);
  }

  #placeOf(at: Place): number {
    const total = this.#total as number;
    switch (at) {
      case 'first':
        return 0;
      case 'middle':
        return Math.floor(total / 2);
      case 'last':
        return total - 1;
      case 'after':
        return total;
      default:
        return Math.min(at, total - 1);
    }
  }
}

function end(socket: Socket, how: End): void {
  if (how === 'rst') {
    socket.resetAndDestroy();
    return;
  }
  // What was passed on is to arrive; what still comes is read and thrown away, lest the kernel makes a reset of it.
  socket.removeAllListeners('data');
  socket.resume();
  socket.end(() => socket.destroy());
}
