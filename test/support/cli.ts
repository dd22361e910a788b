import { spawn } from 'node:child_process';
import { readArgs } from '../../src/cli/args.ts';
import type { Command } from '../../src/cli/command.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { oneshot } from '../../src/cli/oneshot.ts';
import { millis } from '../../src/core/millis.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The moment at which commands in the test's process run. */
export const CLI_NOW = Date.UTC(2026, 10, 24, 12);

/** The world of a command of its own: no variables, no input, no home, no server, and time that does not pass. */
function cliWorld(argv: readonly string[], change: Partial<CliIo> = {}) {
  const written = { stdout: '', stderr: '' };
  let ids = 0;
  const io: CliIo = {
    argv,
    env: {},
    readFile: () => undefined,
    stdin: (async function* () {})(),
    isInteractive: false,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    lasting: {
      stdout: () => ({ write: (text) => (written.stdout += text), isTTY: false, lost: 0 }),
      stderr: () => ({ write: (text) => (written.stderr += text), isTTY: false, lost: 0 }),
    },
    onUncaught: () => undefined,
    clock: () => millis(CLI_NOW),
    machine: { memoryBytes: 8 * 2 ** 30, heapBytes: 4 * 2 ** 30 },
    elapsed: () => 0,
    random: () => 0,
    randomBytes: (count) => new Uint8Array(count),
    randomId: () => `id-${(ids += 1)}`,
    sleep: async () => undefined,
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('no server') })),
    spawn,
    signals: { stopAsked: () => new Promise(() => undefined), listen: () => () => undefined },
    watchReader: () => () => undefined,
    home: undefined,
    nodeMajor: 24,
    version: '1.2.3',
    guide: () => '',
    ...change,
  };
  return { io, written };
}

/** Runs a command line in this process, in a world of its own. */
export async function runCli(argv: readonly string[], change: Partial<CliIo> = {}): Promise<Ran> {
  const { io, written } = cliWorld(argv, change);
  const code = await oneshot(io);
  return { code, ...written };
}

/** Runs one command that is in no list, in a world of its own. Throws what it throws. */
export async function runCommandAlone(
  command: Command,
  argv: readonly string[],
  change: Partial<CliIo> = {},
): Promise<Ran> {
  const { io, written } = cliWorld(argv, change);
  const code = await command.run(io, readArgs(argv, command.options, io.env));
  return { code, ...written };
}

/** A server that gives an answer to each request, and what it was asked. */
export function fakeServer(answer: (url: string, init: RequestInit) => Response) {
  const requests: { url: string; method: string; headers: Headers; body: string }[] = [];
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const body = typeof init.body === 'string' ? init.body : '';
    requests.push({ url, method: init.method ?? 'GET', headers: new Headers(init.headers), body });
    return answer(url, init);
  };
  return { fetch, requests };
}
