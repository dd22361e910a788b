import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Victim } from './flood.ts';

/** Whoever waits longer for an answer gives up, in ms. */
const ANSWER_MS_MAX = 30_000;
/** Between two attempts, after one that failed. */
const AGAIN_MS = 20;

/** Opens a connection from the flood's own address. Undefined where the server does not take it. */
export async function open({ port, localAddress, tally }: Victim): Promise<Socket | undefined> {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  socket.on('error', () => undefined);
  const isOpen = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  if (!isOpen) tally.broken += 1;
  return isOpen ? socket : undefined;
}

/** A client that sends one request after the other, as raw bytes, on one connection for as long as that holds. */
export class Asker {
  readonly #victim: Victim;
  #socket: Socket | undefined;
  #text = '';
  #unread = 0;
  #answered: ((status: number | undefined) => void) | undefined;

  constructor(victim: Victim) {
    this.#victim = victim;
  }

  /** Sends a request and waits for its answer, of which all but the status is dropped. Undefined where there was none. */
  async ask(...parts: readonly (Buffer | string)[]): Promise<number | undefined> {
    const { tally } = this.#victim;
    this.#socket ??= await this.#open();
    const socket = this.#socket;
    if (socket === undefined) {
      await sleep(AGAIN_MS);
      return undefined;
    }
    const answer = new Promise<number | undefined>((resolve) => (this.#answered = resolve));
    const timer = setTimeout(() => socket.destroy(), ANSWER_MS_MAX);
    socket.cork();
    for (const part of parts) {
      tally.bytes += Buffer.byteLength(part);
      socket.write(part);
    }
    socket.uncork();
    tally.requests += 1;
    const status = await answer;
    clearTimeout(timer);
    if (status === undefined) tally.broken += 1;
    else tally.answered(status);
    return status;
  }

  end(): void {
    this.#socket?.destroy();
  }

  async #open(): Promise<Socket | undefined> {
    const socket = await open(this.#victim);
    this.#text = '';
    this.#unread = 0;
    socket?.on('data', (chunk: Buffer) => this.#read(chunk));
    socket?.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#tell(undefined);
    });
    return socket;
  }

  #tell(status: number | undefined): void {
    const tell = this.#answered;
    this.#answered = undefined;
    tell?.(status);
  }

  /** Answers have a Content-Length here; what has none ends with its connection. */
  #read(chunk: Buffer): void {
    if (this.#unread >= chunk.length) {
      this.#unread -= chunk.length;
      if (this.#unread === 0) this.#tell(this.#status);
      return;
    }
    this.#text += chunk.toString('latin1', this.#unread);
    this.#unread = 0;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#text.slice(0, end);
    this.#status = Number(head.slice(9, 12));
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    this.#unread = Math.max(0, length - (this.#text.length - end - 4));
    this.#text = '';
    if (this.#unread === 0) this.#tell(this.#status);
  }

  #status = 0;
}

/** Lets `atOnce` clients send what `next` makes until the deadline, each on a connection of its own. */
export async function askAll(
  victim: Victim,
  atOnce: number,
  next: (count: number) => readonly (Buffer | string)[] | undefined,
): Promise<void> {
  let count = 0;
  const client = async (): Promise<void> => {
    const asker = new Asker(victim);
    while (goesOn(victim)) {
      const parts = next(count++);
      if (parts === undefined) break;
      await asker.ask(...parts);
    }
    asker.end();
  };
  await Promise.all(Array.from({ length: atOnce }, client));
}

function goesOn({ deadline, least, tally }: Victim): boolean {
  const now = performance.now();
  return now < deadline || (tally.answers < least.answers && now < least.deadline);
}
