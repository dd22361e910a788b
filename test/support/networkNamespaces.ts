import { execFileSync } from 'node:child_process';
import { atExit } from './atExit.ts';

/** Two links between two namespaces: faults strike the wire; the back link stays whole, for whoever looks on. */
const WIRE = { server: '10.213.1.1', client: '10.213.1.2' };
const BACK = { server: '10.213.2.1', client: '10.213.2.2' };
const PREFIX_BITS = 30;
const COMMAND_TIMEOUT_MS = 10_000;
const TABLE = 'faults';

/** What to do where a test is skipped for want of namespaces. */
export const HOW_TO_GET_NAMESPACES = 'network namespaces need root, and the packages iproute2 and nftables';

/** Whether namespaces can be made here. In CI, where nothing may be skipped in silence, it throws where they can't. */
export function requireNamespaces(): boolean {
  try {
    using _ = NetworkNamespaces.create('probe');
    return true;
  } catch (cause) {
    if ((process.env['CI'] ?? '') !== '') throw new Error(HOW_TO_GET_NAMESPACES, { cause });
    return false;
  }
}

/**
 * A namespace for the server and one for its clients, joined by two pairs of veth. Nothing outside of them is touched, and the
 * kernel removes the links with the namespaces. The names carry the process id, so that several can run at once.
 */
export class NetworkNamespaces implements Disposable {
  /** The addresses on the wire that faults strike, and on the link that stays whole. */
  static readonly WIRE = WIRE;
  static readonly BACK = BACK;
  readonly server: string;
  readonly client: string;
  readonly #calledOff: () => void;

  private constructor(name: string) {
    this.server = `oneshot-${name}-${process.pid}-s`;
    this.client = `oneshot-${name}-${process.pid}-c`;
    this.#calledOff = atExit(() => this.#delete());
  }

  static create(name: string): NetworkNamespaces {
    const made = new NetworkNamespaces(name);
    try {
      made.#build();
      return made;
    } catch (cause) {
      made[Symbol.dispose]();
      throw cause;
    }
  }

  /** The words to put before a command that is to run inside. The process is that of the command itself. */
  static inside(namespace: string): readonly string[] {
    return ['ip', 'netns', 'exec', namespace];
  }

  [Symbol.dispose](): void {
    this.#calledOff();
    this.#delete();
  }

  #delete(): void {
    for (const namespace of [this.server, this.client]) {
      try {
        execFileSync('ip', ['netns', 'delete', namespace], { stdio: 'pipe', timeout: COMMAND_TIMEOUT_MS });
      } catch {
        // It was never made.
      }
    }
  }

  #build(): void {
    for (const namespace of [this.server, this.client]) {
      run('ip', 'netns', 'add', namespace);
      run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    }
    for (const [link, ends] of Object.entries({ wire: WIRE, back: BACK })) {
      run(
        'ip',
        'link',
        'add',
        link,
        'netns',
        this.server,
        'type',
        'veth',
        'peer',
        'name',
        link,
        'netns',
        this.client,
      );
      for (const side of ['server', 'client'] as const) {
        run('ip', '-n', this[side], 'address', 'add', `${ends[side]}/${PREFIX_BITS}`, 'dev', link);
        run('ip', '-n', this[side], 'link', 'set', link, 'up');
      }
    }
    new Wire(this.server).heal();
  }
}

/** Breaks the wire, from inside the server's namespace or by its name. `heal` undoes everything. */
export class Wire {
  readonly #namespace: string;

  constructor(serverNamespace: string) {
    this.#namespace = serverNamespace;
  }

  /** Loses packets at random, both ways; 1 loses all, which is a partition. */
  lose(share: number): void {
    const often = share >= 1 ? '' : `numgen random mod 1000 < ${Math.round(share * 1000)} `;
    this.#filter(`iifname wire ${often}drop`, `oifname wire ${often}drop`);
  }

  /** Answers every packet of the client's with a reset. */
  reset(): void {
    this.#filter('iifname wire meta l4proto tcp reject with tcp reset');
  }

  /**
   * Slows down what the server sends, and tells how: a kernel with netem makes each packet late as well; elsewhere packets are late
   * only by waiting for their turn.
   */
  slow(bitsPerSecond: number, delayMs: number): 'netem' | 'tbf' {
    const rate = ['rate', `${Math.round(bitsPerSecond)}bit`];
    try {
      this.#tc('replace', 'netem', 'delay', `${Math.round(delayMs)}ms`, ...rate);
      return 'netem';
    } catch {
      this.#tc('replace', 'tbf', ...rate, 'burst', '2kb', 'latency', '4s');
      return 'tbf';
    }
  }

  heal(): void {
    this.#filter();
    try {
      this.#tc('delete');
    } catch {
      // Nothing slowed it.
    }
  }

  #filter(inbound?: string, outbound?: string): void {
    const script = [
      `table inet ${TABLE} {}`,
      `delete table inet ${TABLE}`,
      `table inet ${TABLE} {`,
      `  chain inbound { type filter hook input priority 0; ${inbound ?? ''}; }`,
      `  chain outbound { type filter hook output priority 0; ${outbound ?? ''}; }`,
      '}',
      '',
    ];
    execFileSync('ip', ['netns', 'exec', this.#namespace, 'nft', '-f', '-'], {
      input: script.join('\n'),
      stdio: 'pipe',
      timeout: COMMAND_TIMEOUT_MS,
    });
  }

  #tc(verb: 'replace' | 'delete', ...how: readonly string[]): void {
    run('tc', '-n', this.#namespace, 'qdisc', verb, 'dev', 'wire', 'root', ...how);
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe', timeout: COMMAND_TIMEOUT_MS });
}
