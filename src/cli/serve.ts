import { randomBytes } from 'node:crypto';
import { Access } from '../access/access.ts';
import { Bcrypt } from '../access/bcrypt.ts';
import { AccessFileError } from '../access/error.ts';
import { readText } from '../access/readText.ts';
import { App } from '../app.ts';
import { checkSinks } from '../app/sinkChecks.ts';
import type { Machine } from '../app/memory.ts';
import { ConfigError } from '../config/error.ts';
import { helpText, printConfig } from '../config/describe.ts';
import type { Environment } from '../config/environment.ts';
import type { ReadFile } from '../config/file.ts';
import { loadSettings } from '../config/load.ts';
import { readPostgresUrl } from '../config/postgresUrl.ts';
import type { Settings } from '../config/settings.ts';
import type { Clock, Monotonic } from '../core/millis.ts';
import { LogDamagedError, LogOpenError, OwnershipLostError } from '../log/log.ts';
import { createLogger } from '../observe/logger.ts';
import { newsFor } from '../observe/news.ts';
import type { LastingOutputs } from './io.ts';
import { openWarning } from './openWarning.ts';

/** What the command may touch of the process that runs it. */
export interface ServeIo {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly readFile: ReadFile;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly lasting: LastingOutputs;
  readonly onUncaught: (tell: (error: unknown) => void) => void;
  readonly clock: Clock;
  readonly machine: Machine;
  readonly elapsed: Monotonic;
  readonly version: string;
  readonly guide: string;
  /** Resolves when the process is asked to stop, with the name of the signal. */
  readonly stopAsked: Promise<string>;
}

/** Exit codes: all is well; it went wrong while running; it was asked for what can't be. */
const OK = 0;
const FAILED = 1;
const UNUSABLE = 2;

/** Runs the server until it is asked to stop. Resolves with the exit code. */
export async function serve(io: ServeIo): Promise<number> {
  try {
    const loaded = loadSettings(io);
    switch (loaded.action) {
      case 'help':
        io.stdout.write(helpText());
        return OK;
      case 'version':
        io.stdout.write(`oneShotMetricsServer ${io.version}\n`);
        return OK;
      case 'print-config':
        io.stdout.write(printConfig(loaded));
        return OK;
      case 'run':
        return await run(io, loaded.settings);
      default:
        return loaded satisfies never;
    }
  } catch (error) {
    const line = startFailure(error);
    if (line === undefined) throw error;
    io.stderr.write(`oneShotMetricsServer: ${line}\n`);
    return UNUSABLE;
  }
}

async function run(io: ServeIo, settings: Settings): Promise<number> {
  // Whoever reads the log, or doesn't: events are delivered all the same.
  const [stdout, stderr] = [io.lasting.stdout(), io.lasting.stderr()];
  const logger = createLogger(settings['log.level'], stderr);
  io.onUncaught((err) => logger.fatal({ err }, 'uncaught error; exiting'));
  const { clock, machine, elapsed, version, guide } = io;
  await using bcrypt = new Bcrypt();
  await checkSinks(settings);
  const access = await Access.open({
    settings,
    read: readText,
    compare: bcrypt.compare,
    key: randomBytes(32),
    news: newsFor(logger, elapsed),
  });
  // Closing well would wait for writes that can't succeed; what was answered is on disk, and the rest was never answered.
  const ended = (why: Error): number => {
    // Neither damage nor another owner is a fault of this program, and a trace tells nothing.
    if (!(why instanceof LogDamagedError || why instanceof OwnershipLostError))
      logger.fatal({ err: why }, 'the log is broken; exiting');
    stderr.write(`oneShotMetricsServer: can't write the log any more: ${why.message}\n`);
    return FAILED;
  };
  const linesLost = () => stderr.lost;
  const app = new App({ settings, version, clock, machine, elapsed, logger, linesLost, access, guide });
  const broken = app.broken();
  // What breaks the log during the start would have it wait for ever.
  const started = await Promise.race([app.start(), broken, io.stopAsked]);
  if (started instanceof Error) return ended(started);
  if (typeof started === 'string') {
    // It may wait for a database. Nobody was answered yet, so that this is no worse than a kill.
    logger.info({ signal: started }, 'stopped while starting');
    return OK;
  }
  const { port, address } = started;
  stdout.write(greeting(version, settings, { port, address }, access.tls === undefined ? 'http' : 'https'));
  const store = settings['store.kind'];
  logger.info(
    { version, port, store, ...(store === 'sqlite' && { path: settings['store.path'] }) },
    'started',
  );
  const warning = openWarning(access.isOpen, address);
  if (warning !== undefined) logger.warn(warning);

  const end = await Promise.race([io.stopAsked, broken]);
  if (end instanceof Error) return ended(end);
  logger.info({ signal: end }, 'stopping');
  await app[Symbol.asyncDispose]();
  logger.info('stopped');
  return OK;
}

function greeting(
  version: string,
  settings: Settings,
  { port, address }: { port: number; address: string },
  scheme: 'http' | 'https',
): string {
  // Where there is no IPv6, :: is another address.
  const host = settings['server.host'] === '::' ? address : settings['server.host'];
  const place = host.includes(':') ? `[${host}]` : host;
  return [
    `oneShotMetricsServer ${version}`,
    `  listens  ${scheme}://${place}:${port}`,
    `  log      ${storeOf(settings)}`,
    `  try      curl -X POST '${scheme}://localhost:${port}/event?type=test&message=hello'`,
    '',
  ].join('\n');
}

function storeOf(settings: Settings): string {
  switch (settings['store.kind']) {
    case 'memory':
      return 'in memory, lost when the process ends';
    case 'postgres': {
      const { hosts, database } = readPostgresUrl(settings['store.url']);
      const places = hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
      return `PostgreSQL at ${places}, database ${database}, schema ${settings['store.schema']}`;
    }
    default:
      return `${settings['store.path']} (${settings['store.durability'] === 'power' ? 'synced before each answer' : 'not synced'})`;
  }
}

/** The one line for what stops a start; undefined for a programmer's error. */
function startFailure(error: unknown): string | undefined {
  if (error instanceof ConfigError || error instanceof AccessFileError || error instanceof LogOpenError)
    return error.message;
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined;
  const host = address?.includes(':') === true ? `[${address}]` : (address ?? '');
  const where = `${host}${port === undefined ? '' : `:${port}`}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is in use by another process; stop it, or choose another server.port`;
    case 'EACCES':
      return `no permission to listen on ${where}; choose a server.port above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `server.host is not an address of this machine: ${(error as Error).message}`;
    default:
      return `can't listen: ${(error as Error).message}`;
  }
}
