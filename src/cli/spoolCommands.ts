import { MINUTE, SECOND, duration } from '../config/quantities.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import type { Options } from './options.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import { Sending } from './sending.ts';
import type { CliIo } from './io.ts';
import { REMOTE_OPTIONS, clientFor, remoteOf } from './remote.ts';
import { exitOfError, refusedTeller } from './report.ts';
import type { Spool } from './spool/spool.ts';
import { DEFAULT_SPOOL, defaultSpool, openSpool, spoolOption } from './spoolPlace.ts';
import { paintFor, printable } from './style.ts';

const TOTAL_MS = 5 * MINUTE;

const OPTIONS: Options = {
  spool: spoolOption(DEFAULT_SPOOL),
  ...REMOTE_OPTIONS,
  json: { doc: 'Print one JSON object.' },
};

export const spoolCommand: Command = {
  name: 'spool',
  summary: 'Show how many events wait on disk.',
  usage: '',
  about: [
    'The spool has a folder for each server, with a file for each event. Events that the server refused are in refused/, each with the reason beside it.',
  ],
  options: OPTIONS,
  examples: ['oneshot spool', 'oneshot spool --spool /var/spool/oneshot --json'],
  exits: [
    ['0', 'success'],
    ['1', "the folder can't be read"],
    ['2', 'wrong usage'],
  ],
  words: ['flush'],
  nodeMajorMin: CLIENT_NODE_MIN,
  run: async (io, args) => {
    const spool = spoolOf(io, args, TOTAL_MS);
    const { waiting, refused } = await spool.counts();
    const { folder } = spool;
    if (args.on('json')) io.stdout.write(`${JSON.stringify({ folder, waiting, refused })}\n`);
    else io.stdout.write(`${waiting} waiting, ${refused} refused, in ${folder}\n`);
    return EXIT.ok;
  },
};

export const spoolFlush: Command = {
  name: 'spool flush',
  summary: 'Send the events that wait on disk.',
  usage: '',
  about: [
    "Sends them oldest first, each with its own time and id. Events that the server refuses are reported and moved to refused/, and don't hold up the others. If the server can't be reached, the rest stay. You can run this while others push: each event is sent by only one of them.",
  ],
  options: {
    ...OPTIONS,
    total: {
      type: duration({ min: 1 * SECOND, max: 24 * 60 * MINUTE }),
      doc: 'How long it may take in total. Default: 5m.',
    },
  },
  examples: ['oneshot spool flush', '*/5 * * * *  oneshot spool flush --spool /var/spool/oneshot'],
  exits: [
    ['0', 'no events wait any more'],
    ['1', "the server couldn't be reached; the rest wait"],
    ['2', 'wrong usage'],
    ['3', 'the server refused some events; all others were sent'],
    ['4', 'wrong address or credentials; the rest wait'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run: flush,
};

async function flush(io: CliIo, args: Args): Promise<number> {
  const totalMs = args.number('total') ?? TOTAL_MS;
  const remote = remoteOf(args);
  const spool = spoolOf(io, args, remote.timeoutMs);
  const sending = new Sending(clientFor(io, remote), spool, refusedTeller(io, 'spool flush'));
  const { sent, refused, stopped } = await sending.flush({ elapsed: io.elapsed, totalMs });
  const { waiting } = await spool.counts();
  if (args.on('json')) {
    io.stdout.write(
      `${JSON.stringify({ folder: spool.folder, sent, refused, waiting, error: stopped?.message })}\n`,
    );
  } else {
    io.stdout.write(`${sent} sent, ${refused.length} refused, ${waiting} waiting\n`);
  }
  if (stopped !== undefined) {
    const why = paintFor(io.stderr, io.env)('yellow', printable(stopped.message));
    io.stderr.write(`oneshot spool flush: ${why}; ${waiting} events wait in ${spool.folder}\n`);
    return exitOfError(stopped);
  }
  return refused.length > 0 ? EXIT.refused : EXIT.ok;
}

function spoolOf(io: CliIo, args: Args, sendMs: number): Spool {
  const [word] = args.words;
  if (word !== undefined)
    throw new UsageError(`unexpected ${JSON.stringify(word)}; write oneshot spool, or oneshot spool flush`);
  const folder = args.text('spool') ?? defaultSpool(io);
  if (folder === undefined) throw new UsageError('there is no home folder; name the folder with --spool');
  return openSpool(io, folder, remoteOf(args), sendMs);
}
