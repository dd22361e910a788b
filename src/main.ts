import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { fstatSync, readFileSync } from 'node:fs';
import { homedir, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { inspect } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import type { CliIo, Signals } from './cli/io.ts';
import { LastingOutput } from './cli/lastingOutput.ts';
import { watchReader } from './cli/readerGone.ts';
import { stackFormatter } from './cli/stacks.ts';
import { stopAsked } from './cli/stopAsked.ts';
import { keepCompiled } from './cli/compileCache.ts';
import { readConfigFile } from './config/file.ts';
import { millis } from './core/millis.ts';

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;
/** What a shell says of a command whose reader went away: 128 and SIGPIPE. */
const READER_GONE = 141;

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const { version } = JSON.parse(read('../package.json')) as { version: string };

// What runs is a bundle, of which Node would show a line of 50 kB.
if (!import.meta.url.endsWith('.ts'))
  Error.prepareStackTrace = stackFormatter(new URL('.', import.meta.url).href, read);

let tellUncaught: (error: unknown) => void = () => undefined;
process.on('uncaughtException', (error) => {
  try {
    tellUncaught(error);
  } catch {
    // It may be the telling that is broken.
  }
  process.stderr.write(`${inspect(error)}\n\nNode.js ${process.version}\n`);
  process.exit(1);
});

const signals: Signals = {
  stopAsked: () =>
    stopAsked({
      on: (signal, listener) => process.on(signal, listener),
      elapsed: () => performance.now(),
      endNow: () => process.exit(1),
    }),
  listen: (names, listener) => {
    for (const name of names) process.on(name, listener);
    return () => {
      for (const name of names) process.off(name, listener);
    };
  },
};

function endProcess(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(READER_GONE);
}

/** A stream that ends the process when nobody reads it any more, as `oneshot tail | head` asks for. */
function ending(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return stream.listenerCount('error') > 0 ? stream : stream.on('error', endProcess);
}

/** The same stream, once it is asked for, as one that ends nothing from then on. */
function lasting(stream: () => NodeJS.WriteStream): () => LastingOutput {
  let output: LastingOutput | undefined;
  return () => (output ??= new LastingOutput(stream().off('error', endProcess)));
}

/** Undefined for a user who is a number only, as in an image: nothing says where its home would be. */
function homeOfUser(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

const home = process.env['HOME'] ?? homeOfUser();

// Streams are touched only when they are used: touching makes them non-blocking, also for a command that shares them.
const io: CliIo = {
  argv: process.argv.slice(2),
  env: process.env,
  readFile: readConfigFile,
  get stdin() {
    return process.stdin;
  },
  isInteractive: isatty(STANDARD_INPUT),
  get stdout() {
    return ending(process.stdout);
  },
  get stderr() {
    return ending(process.stderr);
  },
  lasting: {
    stdout: lasting(() => process.stdout),
    stderr: lasting(() => process.stderr),
  },
  onUncaught: (tell) => {
    tellUncaught = tell;
  },
  clock: () => millis(Date.now()),
  machine: {
    // Of cgroups v2 and v1; 0, or more than there is, where nothing is set.
    memoryBytes: Math.min(process.constrainedMemory() || Infinity, totalmem()),
    heapBytes: getHeapStatistics().heap_size_limit,
  },
  elapsed: () => performance.now(),
  random: () => Math.random(),
  randomBytes: (count) => randomBytes(count),
  randomId: () => randomUUID(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  fetch: (input, init) => fetch(input, init),
  spawn,
  signals,
  watchReader: () =>
    fstatSync(STANDARD_OUTPUT).isFIFO()
      ? watchReader(spawn, process.pid, () => process.exit(READER_GONE))
      : () => undefined,
  home,
  nodeMajor: Number.parseInt(process.versions.node, 10),
  version,
  guide: () => read('../README.md'),
};

keepCompiled({ id: process.getuid?.(), home }, process.env);
// Only now, so that it is compiled no more than once.
const { oneshot } = await import('./cli/oneshot.ts');
process.exit(await oneshot(io));
