import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { authorization } from '../client/authorization.ts';
import { endpoint } from '../client/endpoint.ts';
import { whyNot } from '../client/exchange.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT, UsageError } from './command.ts';
import type { CliIo } from './io.ts';
import { REMOTE_OPTIONS, remoteOf } from './remote.ts';

export const logBackup: Command = {
  name: 'log backup',
  summary: 'Write a copy of the log of a running server into a file.',
  usage: '<file>',
  about: [
    'The copy holds everything that the server accepted before, with ids and the positions of scrapers. The server goes on meanwhile. To restore it, stop the server and put the file in the place of events.db in store.path. Of a stopped server, copy events.db itself.',
  ],
  options: REMOTE_OPTIONS,
  examples: ['oneshot log backup /backup/events.db'],
  exits: [
    ['0', 'the copy is complete, and on the disk'],
    ['1', 'the server could not be reached, or the copy broke; there is no file then'],
    ['2', 'the command line is wrong, or the file is there already'],
    ['4', 'the address or the credentials are wrong'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

async function run(io: CliIo, args: Args): Promise<number> {
  const [file, more] = args.words;
  if (file === undefined || more !== undefined) throw new UsageError('name one file to write');
  if (existsSync(file)) throw new UsageError(`${file} is there already; name a new file`);
  const { url, credentials } = remoteOf(args);
  const fail = (why: string, code: number): number => {
    io.stderr.write(`oneshot log backup: ${url}: ${why}\n`);
    return code;
  };
  const part = `${file}.part`;
  try {
    const response = await io.fetch(endpoint(url, 'api/v1/backup'), {
      method: 'POST',
      headers: authorization(credentials),
      redirect: 'manual',
    });
    if (response.status !== 200 || response.body === null)
      return fail(
        await refusal(response),
        response.status >= 500 || response.status === 409 ? EXIT.failed : EXIT.denied,
      );
    await pipeline(Readable.fromWeb(response.body), createWriteStream(part, { mode: 0o600 }));
    const handle = await open(part, 'r+');
    const { size } = await handle.stat();
    await handle.sync();
    await handle.close();
    const announced = response.headers.get('content-length');
    if (String(size) !== announced) throw new Error(`the copy was cut at ${size} of ${announced} bytes`);
    renameSync(part, file);
    io.stdout.write(`${file}: ${size} bytes\n`);
    return EXIT.ok;
  } catch (cause) {
    rmSync(part, { force: true });
    return fail(whyNot(cause), EXIT.failed);
  }
}

async function refusal(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // Not an answer of the server.
  }
  return `the answer is not this server's (${response.status}); is the address right?`;
}
