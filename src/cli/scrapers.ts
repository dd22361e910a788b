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
}

const OPTIONS: Options = { ...REMOTE_OPTIONS, json: { doc: "Print the server's answer as JSON." } };
const EXITS = [
  ['1', "the server couldn't be reached"],
  ['2', 'wrong usage'],
  ['4', 'wrong address or credentials'],
] as const;

export const scrapers: Command = {
  name: 'scrapers',
  summary: 'List the scrapers, and how far each one is.',
  usage: '',
  about: [
    "WAITING counts the events that a scraper has yet to fetch, including those that came back from broken responses (RETURNED). IN FLIGHT counts the events that were sent to it and aren't confirmed yet; its next scrape confirms them.",
  ],
  options: OPTIONS,
  examples: ['oneshot scrapers', "oneshot scrapers --json | jq -r '.scrapers[].id'"],
  exits: [['0', 'success'], ...EXITS],
  words: ['forget'],
  nodeMajorMin: CLIENT_NODE_MIN,
  run: list,
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

async function list(io: CliIo, args: Args): Promise<number> {
  const [word] = args.words;
  if (word !== undefined)
    throw new UsageError(
      `unexpected ${JSON.stringify(word)}; write oneshot scrapers, or oneshot scrapers forget <id>`,
    );
  const answer = (await ask(io.fetch, remoteOf(args), 'api/v1/scrapers')) as { scrapers: readonly Scraper[] };
  if (args.on('json')) {
    io.stdout.write(`${JSON.stringify(answer)}\n`);
    return EXIT.ok;
  }
  if (answer.scrapers.length === 0) {
    io.stdout.write('no scrapers yet\n');
    return EXIT.ok;
  }
  const paint = paintFor(io.stdout, io.env);
  const rows = answer.scrapers.map((scraper) => rowOf(scraper, io.clock()));
  io.stdout.write(table(HEAD, rows, paint));
  io.stdout.write(warnings(answer.scrapers, paint));
  return EXIT.ok;
}

const HEAD = ['ID', 'KNOWN BY', 'ADDRESS', 'LAST SEEN', 'EVERY', 'TIMES', 'WAITING', 'IN FLIGHT', 'RETURNED'];

function rowOf(scraper: Scraper, now: number): readonly Cell[] {
  const { id, identifiedBy, address, lastSeen, intervalSeconds, mode, pending, inFlight, returned } = scraper;
  return [
    printable(id),
    identifiedBy,
    address,
    `${Math.max(0, Math.round((now - Date.parse(lastSeen)) / 1000))} s ago`,
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
