import { ApiError, ask } from './api.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import type { Options } from './options.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';
import { REMOTE_OPTIONS, remoteOf } from './remote.ts';
import type { Cell } from './table.ts';
import { table } from './table.ts';
import type { Paint } from './style.ts';
import { paintFor, printable } from './style.ts';

/** What is shown of a scraper. */
interface Scraper {
  readonly id: string;
  readonly identifiedBy: string;
  readonly address: string;
  readonly lastSeen: string;
  readonly intervalSeconds?: number;
  readonly mode?: string;
  /** Those in flight among them. */
  readonly pending: number;
  readonly inFlight: number;
  readonly returned: number;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly sink?: Sink;
}

/** What is shown of one that events are pushed to. */
interface Sink {
  readonly failing?: { readonly since: string; readonly why: string };
  readonly ownMetricsFailing?: string;
  readonly refused: number;
  readonly refusals: readonly { readonly series: string; readonly why: string }[];
}

const OPTIONS: Options = { ...REMOTE_OPTIONS, json: { doc: "Print the server's answer as JSON." } };
const EXITS = [
  ['1', "the server couldn't be reached"],
  ['2', 'wrong usage'],
  ['4', 'wrong address or credentials'],
] as const;

export const scrapers: Command = {
  name: 'scrapers',
  summary: 'List the scrapers and sinks, and how far each one is.',
  usage: '',
  about: [
    "WAITING counts the events that a scraper has yet to fetch, including those that came back from broken responses (RETURNED). IN FLIGHT counts the events that were sent to it and aren't confirmed yet; its next scrape confirms them.",
    'For a sink, KNOWN BY is sink, and ADDRESS is where its receiver is. Below the table is what a receiver said that accepts nothing, or has refused events.',
  ],
  options: OPTIONS,
  examples: ['oneshot scrapers', "oneshot scrapers --json | jq -r '.scrapers[].id'"],
  exits: [['0', 'success'], ...EXITS],
  words: ['forget'],
  nodeMajorMin: CLIENT_NODE_MIN,
  run: async (io, args) => {
    const [word] = args.words;
    if (word !== undefined)
      throw new UsageError(
        `unexpected ${JSON.stringify(word)}; write oneshot scrapers, or oneshot scrapers forget <id>`,
      );
    return list(io, args, 'scrapers', await known(io, args));
  },
};

export const sinks: Command = {
  name: 'sinks',
  summary: 'List the sinks, and how far each one is.',
  usage: '',
  about: [
    'WAITING counts the events that a sink has yet to push. Below the table is what a receiver said that accepts nothing, or has refused events.',
  ],
  options: OPTIONS,
  examples: ['oneshot sinks', "oneshot sinks --json | jq -r '.sinks[].sink.failing.why'"],
  exits: [['0', 'success'], ...EXITS],
  nodeMajorMin: CLIENT_NODE_MIN,
  run: async (io, args) => {
    const [word] = args.words;
    if (word !== undefined) throw new UsageError(`unexpected ${JSON.stringify(word)}; write oneshot sinks`);
    return list(
      io,
      args,
      'sinks',
      (await known(io, args)).filter(({ identifiedBy }) => identifiedBy === 'sink'),
    );
  },
};

export const scrapersForget: Command = {
  name: 'scrapers forget',
  summary: 'Forget a scraper, and drop the events that wait for it.',
  usage: '<id>',
  about: ['If it comes back, it counts as a new one.'],
  options: OPTIONS,
  examples: ['oneshot scrapers forget prometheus-a'],
  exits: [['0', 'success'], ...EXITS, ['3', 'no scraper has that id']],
  nodeMajorMin: CLIENT_NODE_MIN,
  run: forget,
};

async function known(io: CliIo, args: Args): Promise<readonly Scraper[]> {
  const answer = await ask(io.fetch, remoteOf(args), 'api/v1/scrapers');
  return (answer as { scrapers: readonly Scraper[] }).scrapers;
}

/** `what`: what they are. */
function list(io: CliIo, args: Args, what: string, listed: readonly Scraper[]): number {
  if (args.on('json')) {
    io.stdout.write(`${JSON.stringify({ [what]: listed })}\n`);
    return EXIT.ok;
  }
  if (listed.length === 0) {
    io.stdout.write(`no ${what} yet\n`);
    return EXIT.ok;
  }
  const paint = paintFor(io.stdout, io.env);
  const rows = listed.map((scraper) => rowOf(scraper, io.clock()));
  io.stdout.write(table(HEAD, rows, paint));
  io.stdout.write(warnings(listed, paint));
  io.stdout.write(ofSinks(listed, paint, io.clock()));
  return EXIT.ok;
}

const HEAD = ['ID', 'KNOWN BY', 'ADDRESS', 'LAST SEEN', 'EVERY', 'TIMES', 'WAITING', 'IN FLIGHT', 'RETURNED'];

function rowOf(scraper: Scraper, now: number): readonly Cell[] {
  const { id, identifiedBy, address, lastSeen, intervalSeconds, mode, pending, inFlight, returned } = scraper;
  return [
    printable(id),
    identifiedBy,
    address,
    `${secondsSince(lastSeen, now)} s ago`,
    intervalSeconds === undefined ? '-' : `${intervalSeconds} s`,
    mode === 'timed' ? 'explicit' : mode === 'untimed' ? 'scrape' : '-',
    pending - inFlight,
    inFlight,
    returned,
  ];
}

function warnings(all: readonly Scraper[], paint: Paint): string {
  return all
    .flatMap(({ id, warnings: own }) =>
      own.map(({ message }) => `${paint('yellow', 'warning')} ${printable(id)}: ${printable(message)}\n`),
    )
    .join('');
}

/** What receivers said that take nothing, or not all. */
function ofSinks(all: readonly Scraper[], paint: Paint, now: number): string {
  let text = '';
  for (const { id, sink } of all) {
    if (sink === undefined) continue;
    const { failing, ownMetricsFailing, refused, refusals } = sink;
    const name = printable(id);
    if (failing !== undefined)
      text += `${paint('yellow', 'failing')} ${name} for ${secondsSince(failing.since, now)} s: ${printable(failing.why)}\n`;
    if (ownMetricsFailing !== undefined && ownMetricsFailing !== failing?.why)
      text += `${paint('yellow', 'failing')} ${name}: the server's own metrics: ${printable(ownMetricsFailing)}\n`;
    const last = refusals.at(-1);
    if (last !== undefined)
      text += `${paint('yellow', 'refused')} ${name} ${refused === 1 ? '1 event' : `${refused} events`}, the last one ${printable(last.series)}: ${printable(last.why)}\n`;
  }
  return text;
}

function secondsSince(time: string, now: number): number {
  return Math.max(0, Math.round((now - Date.parse(time)) / 1000));
}

async function forget(io: CliIo, args: Args): Promise<number> {
  const [id, more] = args.words;
  if (id === undefined || more !== undefined)
    throw new UsageError('name one scraper: oneshot scrapers forget prometheus-a');
  try {
    await ask(io.fetch, remoteOf(args), `api/v1/scrapers/${encodeURIComponent(id)}`, { method: 'DELETE' });
  } catch (error) {
    if (!(error instanceof ApiError) || error.field !== 'id') throw error;
    io.stderr.write(`oneshot scrapers forget: ${printable(error.message)}\n`);
    return EXIT.refused;
  }
  if (args.on('json')) io.stdout.write(`${JSON.stringify({ forgotten: id })}\n`);
  else io.stdout.write(`forgotten: ${printable(id)}\n`);
  return EXIT.ok;
}
