import { AccessFileError } from '../access/error.ts';
import { ConfigError } from '../config/error.ts';
import type { Loaded } from '../config/load.ts';
import { loadSettings } from '../config/load.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';

export const configCheck: Command = {
  name: 'config check',
  summary: 'Check whether the server can start with this configuration.',
  usage: '[file] [-- --<key>=<value> ...]',
  about: [
    "Reads everything that `oneshot serve` would read: the file (default: config.json), the environment, the flags after --, and the files of users, tokens and certificates that they name. It doesn't listen on a port or write anything.",
  ],
  options: { json: { doc: 'Print one JSON object.' } },
  examples: ['oneshot config check', 'oneshot config check /etc/oneshot/config.json -- --server.port=9000'],
  exits: [
    ['0', 'the configuration is valid'],
    ['2', 'it is not; one line says why'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

async function run(io: CliIo, args: Args): Promise<number> {
  const [file, more] = args.words;
  if (more !== undefined) throw new UsageError(`unexpected ${JSON.stringify(more)}; name one file`);
  try {
    const loaded = await checked(io, file, args.rest ?? []);
    const changed = Object.entries(loaded.origins).filter(([, origin]) => origin !== 'default');
    if (args.on('json')) {
      io.stdout.write(
        `${JSON.stringify({ ok: true, file: loaded.file, set: Object.fromEntries(changed) })}\n`,
      );
    } else {
      const where = loaded.file === undefined ? 'the configuration' : loaded.file;
      io.stdout.write(
        `${where} is fine; ${changed.length === 1 ? '1 setting differs' : `${changed.length} settings differ`} from the defaults\n`,
      );
    }
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof AccessFileError)) throw error;
    if (args.on('json')) io.stdout.write(`${JSON.stringify({ ok: false, error: error.message })}\n`);
    io.stderr.write(`oneshot config check: ${error.message}\n`);
    return EXIT.unusable;
  }
}

/** What a start would begin with. Throws a ConfigError. */
async function checked(
  io: CliIo,
  file: string | undefined,
  flags: readonly string[],
): Promise<Extract<Loaded, { settings: unknown }>> {
  const argv = file === undefined ? flags : [`--config.file=${file}`, ...flags];
  const loaded = loadSettings({ argv, env: io.env, readFile: io.readFile });
  if (!('settings' in loaded)) throw new UsageError('after --, only settings are allowed, as --key=value');
  // A part of the server, which only this needs.
  const { checkStart } = await import('./checkStart.ts');
  await checkStart(io, loaded.settings);
  return loaded;
}
