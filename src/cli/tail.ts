import { SECOND, MINUTE, duration } from '../config/quantities.ts';
import { integer } from '../config/kinds.ts';
import type { Remote } from './api.ts';
import { ApiError, ask } from './api.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT, UsageError } from './command.ts';
import type { CliIo } from './io.ts';
import { REMOTE_OPTIONS, remoteOf } from './remote.ts';
import { exitOfError } from './report.ts';
import { paintFor, printable } from './style.ts';
import { labelsOf } from './words.ts';

const EVERY_MS = 1 * SECOND;
const LINES = 10;
const PAGE_ENTRIES_MAX = 1_000;

/** What is shown of an event. */
interface FeedEvent {
  readonly series: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
  readonly time: string;
}

interface FeedPage {
  readonly events: readonly FeedEvent[];
  readonly next: number;
  readonly end: number;
  readonly gone: number;
}

export const tail: Command = {
  name: 'tail',
  summary: 'Show the newest events, and follow those that come.',
  usage: '[type] [label=value ...]',
  about: [
    'It only looks: nothing is consumed, and nobody becomes a scraper. Words choose events by their labels, as `push` writes them: `tail deploy service=api`.',
    'Where the server can not be reached any more it goes on asking, until it is interrupted.',
  ],
  options: {
    lines: {
      kind: integer(0, PAGE_ENTRIES_MAX),
      short: 'n',
      doc: `How many of the newest entries of the log to begin with. Default: ${LINES}.`,
    },
    'no-follow': { doc: 'Show those, and stop.' },
    every: { kind: duration({ min: 10, max: 10 * MINUTE }), doc: 'How often to ask. Default: 1s.' },
    ...REMOTE_OPTIONS,
    json: { doc: 'Print each event as a JSON object, one a line.' },
  },
  examples: [
    'oneshot tail',
    'oneshot tail -n 100 --no-follow',
    'oneshot tail run status=failure --json | jq -r .labels.name',
  ],
  exits: [
    ['0', 'it was interrupted, or showed what there is'],
    ['1', 'the server could not be reached at the start'],
    ['2', 'the command line is wrong'],
    ['4', 'the address or the credentials are wrong'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

async function run(io: CliIo, args: Args): Promise<number> {
  if (args.rest !== undefined) throw new UsageError('tail takes nothing behind --');
  const remote = remoteOf(args);
  const show = shower(io, args);
  const lines = args.number('lines') ?? LINES;
  // A page without any entry tells where the log ends, as well as one entry does.
  let page = await read(io, remote, `limit=${Math.max(1, lines)}`);
  if (lines > 0) page.events.forEach(show);
  if (args.on('no-follow')) return EXIT.ok;

  const stop = new AbortController();
  void io.signals.stopAsked().then(() => stop.abort());
  const everyMs = args.number('every') ?? EVERY_MS;
  let isDown = false;
  for (;;) {
    // A full page has more behind it.
    if (page.next >= page.end || isDown) await io.sleep(everyMs, stop.signal).catch(() => undefined);
    if (isOver(stop.signal)) return EXIT.ok;
    try {
      page = await read(io, remote, `after=${page.next}&limit=${PAGE_ENTRIES_MAX}`, stop.signal);
    } catch (error) {
      if (isOver(stop.signal)) return EXIT.ok;
      if (!(error instanceof ApiError)) throw error;
      if (error.reason !== 'unavailable') return failed(io, error);
      if (!isDown)
        io.stderr.write(`oneshot tail: ${printable(error.message)}; asking again until it answers\n`);
      isDown = true;
      continue;
    }
    if (isDown) io.stderr.write('oneshot tail: it answers again\n');
    isDown = false;
    if (page.gone > 0)
      io.stderr.write(`oneshot tail: ${page.gone} entries went from the log before they were read\n`);
    page.events.forEach(show);
  }
}

function failed(io: CliIo, error: ApiError): number {
  io.stderr.write(`oneshot tail: ${printable(error.message)}\n`);
  return exitOfError(error);
}

async function read(io: CliIo, remote: Remote, query: string, signal?: AbortSignal): Promise<FeedPage> {
  return (await ask(
    io.fetch,
    remote,
    `api/v1/events?${query}`,
    signal === undefined ? {} : { signal },
  )) as FeedPage;
}

/** Prints an event, if it has the labels that were asked for. */
function shower(io: CliIo, args: Args): (event: FeedEvent) => void {
  const wanted = Object.entries(labelsOf(args.words));
  const paint = paintFor(io.stdout, io.env);
  return (event) => {
    const { series, labels, value, time } = event;
    if (!wanted.every(([name, text]) => (labels[name] ?? '') === text)) return;
    const line = args.on('json')
      ? JSON.stringify(event)
      : `${paint('dim', time)} ${printable(series)} ${paint('bold', value)}`;
    io.stdout.write(`${line}\n`);
  };
}

function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
