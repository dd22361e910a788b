import { DAY, MINUTE, SECOND, duration } from '../config/quantities.ts';
import { integer } from '../config/valueTypes.ts';
import type { Remote } from './api.ts';
import { ApiError, ask } from './api.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';
import { REMOTE_OPTIONS, remoteOf } from './remote.ts';
import { exitOfError } from './report.ts';
import { paintFor, printable } from './style.ts';
import type { FeedEvent, FeedPage } from './tailNewest.ts';
import { PAGE_ENTRIES_MAX, newest } from './tailNewest.ts';
import { labelsOf } from './words.ts';

const EVERY_MS = 1 * SECOND;
const LINES = 10;
export const tail: Command = {
  name: 'tail',
  summary: 'Show the newest events, then new ones as they arrive.',
  usage: '[type] [label=value ...]',
  about: [
    "It consumes nothing, and doesn't count as a scraper. Words select events by their labels, as in `push`: `tail deploy service=api`.",
    'If the server goes away, it keeps trying until you stop it.',
  ],
  options: {
    lines: {
      type: integer(0, PAGE_ENTRIES_MAX),
      short: 'n',
      doc: `How many of the newest matching events to show first. Default: ${LINES}, or all with --since.`,
    },
    since: {
      type: duration({ min: 0, max: 366 * DAY }),
      doc: 'Begin with the events that arrived within this time: --since=1h.',
    },
    'no-follow': { doc: 'Exit after showing them.' },
    every: {
      type: duration({ min: 10, max: 10 * MINUTE }),
      doc: 'How often to ask for new events. Default: 1s.',
    },
    ...REMOTE_OPTIONS,
    json: { doc: 'Print each event as a JSON object, one per line.' },
  },
  examples: [
    'oneshot tail',
    'oneshot tail -n 100 --no-follow',
    'oneshot tail deploy --since=1h',
    'oneshot tail run status=failure --json | jq -r .labels.name',
  ],
  exits: [
    ['0', 'you stopped it, or it showed all events'],
    ['1', "the server couldn't be reached at the start"],
    ['2', 'wrong usage'],
    ['4', 'wrong address or credentials'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

async function run(io: CliIo, args: Args): Promise<number> {
  if (args.rest !== undefined) throw new UsageError("tail doesn't allow anything after --");
  const remote = remoteOf(args);
  const show = shower(io, args);
  const matches = matcher(args);
  const since = args.number('since');
  const begin = await newest((query) => read(io, remote, query), {
    lines: args.number('lines') ?? (since === undefined ? LINES : Infinity),
    since: since === undefined ? undefined : io.clock() - since,
    matches,
  });
  begin.events.forEach(show);
  if (begin.gaveUpAfter !== undefined)
    io.stderr.write(`oneshot tail: looked only at the newest ${begin.gaveUpAfter} entries\n`);
  if (args.on('no-follow')) return EXIT.ok;

  const stop = new AbortController();
  void io.signals.stopAsked().then(() => stop.abort());
  const stopWatching = io.watchReader();
  try {
    return await follow(io, args, begin.next, stop, (event) => {
      if (matches(event)) show(event);
    });
  } finally {
    stopWatching();
  }
}

async function follow(
  io: CliIo,
  args: Args,
  next: number,
  stop: AbortController,
  show: (event: FeedEvent) => void,
): Promise<number> {
  const remote = remoteOf(args);
  let page: Pick<FeedPage, 'next' | 'end'> = { next, end: next };
  const everyMs = args.number('every') ?? EVERY_MS;
  let isDown = false;
  for (;;) {
    // A full page has more behind it.
    if (page.next >= page.end || isDown) await io.sleep(everyMs, stop.signal).catch(() => undefined);
    if (isOver(stop.signal)) return EXIT.ok;
    let fresh: FeedPage;
    try {
      fresh = await read(io, remote, `after=${page.next}&limit=${PAGE_ENTRIES_MAX}`, stop.signal);
    } catch (error) {
      if (isOver(stop.signal)) return EXIT.ok;
      if (!(error instanceof ApiError)) throw error;
      if (error.reason !== 'unavailable') return failed(io, error);
      if (!isDown)
        io.stderr.write(`oneshot tail: ${printable(error.message)}; trying again until the server answers\n`);
      isDown = true;
      continue;
    }
    if (isDown) io.stderr.write('oneshot tail: the server answers again\n');
    isDown = false;
    page = fresh;
    if (fresh.gone > 0)
      io.stderr.write(
        `oneshot tail: ${fresh.gone} entries were removed from the log before they were read\n`,
      );
    fresh.events.forEach(show);
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

/** Whether an event has the labels that were asked for. Throws a UsageError. */
function matcher(args: Args): (event: FeedEvent) => boolean {
  const wanted = Object.entries(labelsOf(args.words));
  return ({ labels }) => wanted.every(([name, text]) => (labels[name] ?? '') === text);
}

/** Prints an event. */
function shower(io: CliIo, args: Args): (event: FeedEvent) => void {
  const paint = paintFor(io.stdout, io.env);
  return (event) => {
    const { series, value, time } = event;
    const line = args.on('json')
      ? JSON.stringify(event)
      : `${paint('dim', time)} ${printable(series)} ${paint('bold', value)}`;
    io.stdout.write(`${line}\n`);
  };
}

function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
