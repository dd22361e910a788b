import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { authorization } from '../client/authorization.ts';
import { endpoint } from '../client/endpoint.ts';
import { whyNot } from '../client/exchange.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';
import { REMOTE_OPTIONS, remoteOf } from './remote.ts';

export const logBackup: Command = {
  name: 'log backup',
  summary: 'Back up the log of a running server to a file.',
  usage: '<file>',
  about: [
    'The copy has everything that the server accepted so far, with ids and the positions of scrapers. The server keeps running meanwhile. To restore it, stop the server and replace events.db in store.path with the file. If the server is stopped, copy events.db itself.',
  ],
  options: REMOTE_OPTIONS,
  examples: ['oneshot log backup /backup/events.db'],
  exits: [
    ['0', 'the copy is complete and on disk'],
    ['1', "the server couldn't be reached, or the copy failed; no file was written"],
    ['2', 'wrong usage, or the file exists already'],
    ['4', 'wrong address or credentials'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

async function run(io: CliIo, args: Args): Promise<number> {
  const [file, more] = args.words;
  if (file === undefined || more !== undefined) throw new UsageError('name one file to write');
  if (existsSync(file)) throw new UsageError(`${file} already exists; choose another name`);
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
    if (String(size) !== announced) throw new Error(`the copy ended after ${size} of ${announced} bytes`);
    renameSync(part, file);
    io.stdout.write(`${file}: ${size} bytes\n`);
    return EXIT.ok;
  } catch (cause) {
    rmSync(part, { force: true });
    return fail(whyNot(cause, url), EXIT.failed);
  }
}

async function refusal(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // Not an answer of the server.
  }
  return `this doesn't look like an answer from oneShotMetricsServer (${response.status}); check the address`;
}
