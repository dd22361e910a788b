import { formatSampleValue } from '../core/value.ts';
import type { Settings } from '../config/settings.ts';
import { ConfigError } from '../config/error.ts';
import { shown, RefusedError } from '../core/errors.ts';
import { loadSettings } from '../config/load.ts';
import { text } from '../config/valueTypes.ts';
import type { Event } from '../intake/event.ts';
import type { Millis } from '../core/millis.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';
import { paintFor, printable } from './style.ts';

/** What a webhook would make of a body. */
export interface Tried {
  readonly events: readonly Event[];
  /** Items of which no kind is known. */
  readonly ignored: number;
  /** Why it, or an item of it, would not be stored. */
  readonly refused: readonly string[];
  /** What would be left out of what is stored, and why. */
  readonly leftOut: readonly string[];
}

/** Says what a webhook of these settings makes of a body. Throws a RefusedError where there is none of that name. */
export type TryWebhook = (
  settings: Settings,
  name: string,
  delivery: { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> },
  now: Millis,
) => Tried;

/** `oneshot webhook try`. `load` brings in what tries, which is a part of the server. */
export function webhookTryOf(load: () => Promise<TryWebhook>): Command {
  return {
    name: 'webhook try',
    summary: 'Show which events a webhook makes from a body, without a server.',
    usage: '<name> <file> [-- --<key>=<value> ...]',
    about: [
      'Reads the settings as `oneshot serve` would (config.json, the environment, the flags after --), and prints the events that the webhook would make from the file. The file is a request body as the sender posts it; - means standard input. Signatures and tokens are not checked, so no secret is needed.',
    ],
    options: {
      header: {
        isMany: true,
        type: { ...text(), placeholder: '<name: value>' },
        short: 'H',
        doc: 'A request header that the mapping reads, such as X-GitHub-Event: push. Can be repeated.',
      },
      json: { doc: 'Print one JSON object.' },
    },
    examples: [
      'oneshot webhook try deploys body.json',
      "oneshot webhook try github push.json -H 'X-GitHub-Event: push'",
    ],
    exits: [
      ['0', 'success; it printed the events, if any'],
      ['2', 'wrong usage or configuration, or there is no such webhook'],
      ['3', 'the body, or an event in it, would not be stored'],
    ],
    nodeMajorMin: CLIENT_NODE_MIN,
    run: async (io, args) => run(io, args, await load()),
  };
}

async function run(io: CliIo, args: Args, tryWebhook: TryWebhook): Promise<number> {
  const [name, file, more] = args.words;
  if (name === undefined || file === undefined || more !== undefined) {
    throw new UsageError('name a webhook and a file: oneshot webhook try deploys body.json');
  }
  const { env, readFile } = io;
  // Nothing is checked against a secret, and whoever tries a mapping may not have those of the server.
  const loaded = loadSettings({ argv: args.rest ?? [], env, readFile, readsSecrets: false });
  if (!('settings' in loaded)) throw new UsageError('after --, only settings are allowed, as --key=value');
  const delivery = { body: await bodyIn(io, file), headers: headersOf(args.texts('header')) };
  let tried: Tried;
  try {
    tried = tryWebhook(loaded.settings, name, delivery, io.clock());
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause;
    throw new ConfigError(cause.message, { cause });
  }
  tell(io, args, tried);
  return tried.refused.length > 0 ? EXIT.refused : EXIT.ok;
}

function tell(io: CliIo, args: Args, { events, ignored, refused, leftOut }: Tried): void {
  const shownEvents = events.map(({ series, value, sent }) => ({
    series,
    value: formatSampleValue(value),
    time: sent === undefined ? undefined : new Date(sent).toISOString(),
  }));
  if (args.on('json')) {
    io.stdout.write(`${JSON.stringify({ events: shownEvents, ignored, refused, leftOut })}\n`);
    return;
  }
  const paint = paintFor(io.stdout, io.env);
  for (const { series, value, time } of shownEvents) {
    io.stdout.write(
      `${printable(series)} ${value}${time === undefined ? '' : paint('dim', ` at ${time}`)}\n`,
    );
  }
  if (ignored > 0) io.stdout.write(`${ignored} ignored: not a kind that this webhook knows\n`);
  for (const why of leftOut) io.stderr.write(`oneshot webhook try: left out: ${printable(why)}\n`);
  for (const why of refused) io.stderr.write(`oneshot webhook try: refused: ${printable(why)}\n`);
}

async function bodyIn(io: CliIo, file: string): Promise<Uint8Array> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
    return Buffer.concat(chunks);
  }
  const body = io.readFile(file);
  if (body === undefined) throw new UsageError(`there is no file ${shown(file)}`);
  return Buffer.from(body);
}

function headersOf(headers: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(headers.map(headerOf));
}

function headerOf(header: string): readonly [name: string, value: string] {
  const colon = header.indexOf(':');
  if (colon < 1)
    throw new UsageError(
      '--header is not a valid header; write it as "X-GitHub-Event: push"; its value isn\'t shown because it may be a secret',
    );
  return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()];
}
