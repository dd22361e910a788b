import { constants } from 'node:os';
import { basename } from 'node:path';
import type { NewEvent } from '../client/event.ts';
import { shown } from '../core/errors.ts';
import { text } from '../config/valueTypes.ts';
import { MINUTE, SECOND, duration } from '../config/quantities.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN } from './command.ts';
import { UsageError } from './options.ts';
import { Sending } from './sending.ts';
import type { CliIo } from './io.ts';
import { REMOTE_OPTIONS, clientFor, remoteOf } from './remote.ts';
import { outcomeJson, outcomeLine, refusedTeller } from './report.ts';
import { DEFAULT_SPOOL, defaultSpool, openSpool, spoolOption } from './spoolPlace.ts';
import { ECHO_MS } from './stopAsked.ts';
import { paintFor, printable } from './style.ts';
import { labelsOf } from './words.ts';

/** The command is over, and whoever waits for it should not wait for a server. */
const WAIT_MS = 5 * SECOND;
/** What a shell ends with when a command can't be run, and when there is none of that name. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
/** A shell adds the number of the signal that ended a command to this. */
const SIGNALLED = 128;

/** Signals that go on to the command. Those that a terminal sends reach it without us. */
const PASSED_ON = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const FROM_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);

/** Labels that say how it went; nobody else may set them. */
const RESERVED = ['status', 'exit_code', 'signal'];

export const runCommand: Command = {
  name: 'run',
  summary: 'Run a command, and post an event about how it went.',
  usage: '[label=value ...] -- command [argument ...]',
  about: [
    "The command gets standard input, output and error unchanged, and all signals sent to oneshot. oneshot exits with the exit code of the command: 128 plus the number of the signal if one ended it, 127 if there is no such command, 126 if it can't be run.",
    'The event has the labels type="run", name, status ("success" or "failure"), exit_code, and signal if one ended it. Its value is the duration in seconds, and its time is when the command ended. Labels on the command line are added.',
    "The event is on disk, in the spool, before it is sent. Sending takes at most 5 s (--wait). If that isn't enough, the next `oneshot run` or `oneshot spool flush` sends it, with its original time. So a network failure neither loses events nor holds up your jobs.",
  ],
  options: {
    name: {
      type: { ...text(), placeholder: '<name>' },
      short: 'n',
      doc: 'The value of the label name. Default: the command without its directory.',
    },
    metric: {
      type: { ...text(), placeholder: '<name>' },
      short: 'm',
      doc: "The metric name. Default: the server's event.metric (events_to_metrics).",
    },
    wait: {
      type: duration({ min: 0, max: 10 * MINUTE }),
      doc: 'How long to spend on sending when the command has ended. Default: 5s. 0 leaves sending to later commands.',
    },
    spool: spoolOption(DEFAULT_SPOOL),
    'no-spool': { doc: "Keep nothing on disk: an event that can't be sent within --wait is lost." },
    ...REMOTE_OPTIONS,
    quiet: { short: 'q', doc: 'Print nothing about the event, whatever happens to it.' },
    json: {
      doc: 'Print the result for the event as a JSON object, on standard error.',
    },
  },
  examples: [
    'oneshot run --name backup -- ./backup.sh',
    'oneshot run --name backup host=db1 -- pg_dump -f /backup/db.sql db',
    "oneshot run -- sh -c 'make && make install'",
  ],
  exits: [
    ["the command's own", 'whatever happens to the event'],
    ['128+n', 'signal n ended the command'],
    ['127', 'command not found'],
    ['126', "the command can't be run"],
    ['2', 'wrong usage of oneshot; the command was not started'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

/** How a command ended. */
interface Ending {
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly seconds: number;
}

/** Where it says what is its own, and not the command's. */
type Own = Pick<CliIo, 'stderr' | 'env'>;

async function run(io: CliIo, args: Args): Promise<number> {
  const [command, ...rest] = args.rest ?? [];
  if (command === undefined || command === '') {
    throw new UsageError('write the command after --: oneshot run --name backup -- ./backup.sh');
  }
  // The code of the command is what counts: what is said of its event may come to nothing.
  const own: Own = {
    env: io.env,
    get stderr() {
      return io.lasting.stderr();
    },
  };
  const announce = announcer(io, own, args, args.text('name') ?? basename(command));
  // Once the command is over, a signal means that nobody wants to wait for the event any more; the spool has it.
  const hurry = new AbortController();
  let child: { kill(signal: NodeJS.Signals): unknown } | undefined;
  let heardAt = -Infinity;
  const stopListening = io.signals.listen(PASSED_ON, (signal) => {
    const isEcho = io.elapsed() - heardAt < ECHO_MS;
    if (child === undefined) {
      if (!isEcho) hurry.abort();
      return;
    }
    heardAt = io.elapsed();
    if (!io.isInteractive || !FROM_TERMINAL.has(signal)) child.kill(signal);
  });
  try {
    const started = io.elapsed();
    const running = io.spawn(command, rest, { stdio: 'inherit' });
    child = running;
    const { code, signal } = await new Promise<Omit<Ending, 'seconds'>>((resolve) => {
      running.once('error', (error: NodeJS.ErrnoException) => resolve(notRun(own, command, error)));
      running.once('exit', (status, ended) =>
        resolve(
          ended === null
            ? { code: status ?? 0, signal: undefined }
            : { code: SIGNALLED + constants.signals[ended], signal: ended },
        ),
      );
    });
    child = undefined;
    // What ended the command is on its way to us as well, or has just been here.
    if (signal !== undefined) heardAt = io.elapsed();
    const seconds = Math.round(io.elapsed() - started) / 1000;
    await announce({ code, signal, seconds }, hurry.signal);
    return code;
  } finally {
    stopListening();
  }
}

function notRun({ stderr }: Own, command: string, error: NodeJS.ErrnoException): Omit<Ending, 'seconds'> {
  const isMissing = error.code === 'ENOENT';
  const why = isMissing ? 'command not found' : `can't be run: ${error.message}`;
  stderr.write(`oneshot run: ${printable(command)}: ${why}\n`);
  return { code: isMissing ? NOT_FOUND : NOT_EXECUTABLE, signal: undefined };
}

/** Prepares the event, so that what is wrong with it is found before the command starts. Throws a UsageError, or a PushError. */
function announcer(
  io: CliIo,
  own: Own,
  args: Args,
  name: string,
): (ending: Ending, hurry: AbortSignal) => Promise<void> {
  const alone = args.words.find((word) => !word.includes('='));
  if (alone !== undefined)
    throw new UsageError(`${shown(alone)} is not a label; write label=value, and the command after --`);
  const given = labelsOf(args.words);
  const reserved = RESERVED.find((label) => Object.hasOwn(given, label));
  if (reserved !== undefined)
    throw new UsageError(`the label ${reserved} is set by oneshot run; choose another name`);
  const remote = remoteOf(args);
  const waitMs = args.number('wait') ?? WAIT_MS;
  const client = clientFor(io, remote, { totalMs: waitMs });
  const folder = args.on('no-spool') ? undefined : (args.text('spool') ?? defaultSpool(io));
  const spool = folder === undefined ? undefined : openSpool(io, folder, remote, waitMs);
  const tell = args.on('quiet') ? () => undefined : refusedTeller(own, 'run');
  const sending = new Sending(client, spool, tell);
  const eventOf = ({ code, signal, seconds }: Ending): NewEvent => ({
    name: args.text('metric'),
    labels: {
      type: 'run',
      name,
      ...given,
      status: code === 0 ? 'success' : 'failure',
      exit_code: code,
      ...(signal !== undefined && { signal }),
    },
    value: seconds,
  });
  client.seal(eventOf({ code: 0, signal: undefined, seconds: 0 }));

  return async (ending, hurry) => {
    const event = client.seal(eventOf(ending));
    const paint = paintFor(own.stderr, own.env);
    try {
      const outcome = await sending.send(event, { elapsed: io.elapsed, totalMs: waitMs, signal: hurry });
      if (args.on('quiet')) return;
      if (args.on('json')) own.stderr.write(`${JSON.stringify(outcomeJson(event.id, outcome))}\n`);
      else if (outcome.kind !== 'accepted')
        own.stderr.write(`oneshot run: ${outcomeLine(event.id, outcome, paint)}\n`);
    } catch (error) {
      // The command is over: whatever is wrong with the event, its exit code is what was asked for.
      if (!args.on('quiet'))
        own.stderr.write(`oneshot run: ${paint('red', 'the event is lost')}: ${(error as Error).message}\n`);
    }
  };
}
