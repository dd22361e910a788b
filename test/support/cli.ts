import { spawn } from 'node:child_process';
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

/** Runs a command in this process, in a world of its own: no variables, no input, no home, no server, and time that does not pass. */
export async function runCli(argv: readonly string[], change: Partial<CliIo> = {}): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  let ids = 0;
  const io: CliIo = {
    argv,
    env: {},
    readFile: () => undefined,
    stdin: (async function* () {})(),
    isInteractive: false,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    clock: () => millis(CLI_NOW),
    elapsed: () => 0,
    random: () => 0,
    randomId: () => `id-${(ids += 1)}`,
    sleep: async () => undefined,
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('no server') })),
    spawn,
    signals: { stopAsked: () => new Promise(() => undefined), listen: () => () => undefined },
    home: undefined,
    nodeMajor: 24,
    version: '1.2.3',
    guide: () => '',
    ...change,
  };
  const code = await oneshot(io);
  return { code, stdout, stderr };
}

/** A server that gives an answer to each request, and what it was asked. */
export function fakeServer(answer: (url: string, init: RequestInit) => Response) {
  const requests: { url: string; method: string; headers: Headers; body: string }[] = [];
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = String(input as string);
    const body = typeof init.body === 'string' ? init.body : '';
    requests.push({ url, method: init.method ?? 'GET', headers: new Headers(init.headers), body });
    return answer(url, init);
  };
  return { fetch, requests };
}
