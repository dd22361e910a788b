import type { EventReceipt } from '../client/delivery.ts';
import { text } from '../config/valueTypes.ts';
import { ApiError, ask } from './api.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import type { CliIo } from './io.ts';
import { UsageError } from './options.ts';
import { REMOTE_OPTIONS, remoteOf } from './remote.ts';
import { paintFor, printable } from './style.ts';
import { table } from './table.ts';

export const receipt: Command = {
  name: 'receipt',
  summary: 'Show where an event is: what each scraper has of it.',
  usage: '<id>',
  about: [
    'The id is the one the event was posted with, which `push` prints, or the eventId of the answer. It consumes nothing.',
    'STATE is waiting, onItsWay (sent, not yet confirmed), delivered, deliveredWithoutProof, collapsed, dropped, beforeItsStart (the scraper came later), notSelected (the configuration of the sink leaves it out) or unknown.',
  ],
  options: {
    source: {
      type: { ...text(), placeholder: '<source>' },
      doc: 'For the id of a CloudEvent: its source.',
    },
    ...REMOTE_OPTIONS,
    json: { doc: "Print the server's answer as JSON." },
  },
  examples: [
    'oneshot receipt deploy-42',
    'oneshot receipt deploy-42 --json | jq -r \'.scrapers[] | select(.state != "delivered").id\'',
  ],
  exits: [
    ['0', 'the server has the event'],
    ['1', "the server couldn't be reached"],
    ['2', 'wrong usage'],
    ['3', 'the server knows no such event, or has it no longer'],
    ['4', 'wrong address or credentials'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

const HEAD = ['SCRAPER', 'STATE', 'WHY'];

async function run(io: CliIo, args: Args): Promise<number> {
  const [id, more] = args.words;
  if (id === undefined || id === '' || more !== undefined)
    throw new UsageError('name one event by its id: oneshot receipt deploy-42');
  const source = args.text('source');
  const query = source === undefined ? '' : `?source=${encodeURIComponent(source)}`;
  let told: EventReceipt;
  try {
    const path = `api/v1/events/${encodeURIComponent(id)}${query}`;
    told = (await ask(io.fetch, remoteOf(args), path)) as EventReceipt;
  } catch (error) {
    if (!(error instanceof ApiError) || error.field !== 'id') throw error;
    io.stderr.write(`oneshot receipt: ${printable(error.message)}\n`);
    return EXIT.refused;
  }
  if (args.on('json')) {
    io.stdout.write(`${JSON.stringify(told)}\n`);
    return EXIT.ok;
  }
  io.stdout.write(`${printable(whatOf(told))}\n`);
  if (told.scrapers.length === 0) {
    io.stdout.write('no scrapers yet\n');
    return EXIT.ok;
  }
  const rows = told.scrapers.map(({ id: scraper, state, reason, message }) => [
    printable(scraper),
    state,
    printable([reason, message].filter((part) => part !== undefined).join(': ')),
  ]);
  io.stdout.write(table(HEAD, rows, paintFor(io.stdout, io.env)));
  return EXIT.ok;
}

function whatOf({ event, entries }: EventReceipt): string {
  if (event !== undefined)
    return `${String(event['series'])} ${String(event['value'])} at ${String(event['time'])}`;
  return `a request with several events: ${entries?.count ?? 0} entries of the log, from ${entries?.first ?? 0} on`;
}
