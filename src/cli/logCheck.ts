import { loadSettings } from '../config/load.ts';
import { LogOpenError } from '../log/log.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { EXIT, SERVER_NODE_MIN } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';

/** What the command has of the server's rooms; loaded only when it runs, since they need a newer Node. */
export interface LogFiles {
  readonly check: (folder: string) => {
    readonly isWell: boolean;
    readonly file: string;
    readonly end: number;
    readonly trimmed: number;
    readonly blocks: number;
    readonly scrapers: number;
    readonly ids: number;
    readonly lost: number;
    readonly aside: readonly string[];
    readonly problems: readonly string[];
  };
}

/** `oneshot log check`. */
export function logCheckOf(load: () => Promise<LogFiles>): Command {
  return {
    name: 'log check',
    summary: 'Check the log of a stopped server for damage.',
    usage: '[folder or file]',
    about: [
      "Reads the whole log in the folder (default: store.path), or the file of a backup, without changing it. It runs SQLite's integrity check, and checks the checksum of each block, missing entries, and the positions of scrapers. A running server locks its log: stop it, or check a backup.",
    ],
    options: { json: { doc: 'Print one JSON object.' } },
    examples: [
      'oneshot log check',
      'oneshot log check /var/lib/oneshot --json',
      'oneshot log check backup.db',
    ],
    exits: [
      ['0', 'no damage found'],
      ['1', 'something is damaged; the lines say what'],
      ['2', "the log couldn't be checked"],
    ],
    nodeMajorMin: SERVER_NODE_MIN,
    run: (io, args) => run(io, args, load),
  };
}

async function run(io: CliIo, args: Args, load: () => Promise<LogFiles>): Promise<number> {
  const [folder, more] = args.words;
  if (more !== undefined) throw new UsageError(`unexpected ${JSON.stringify(more)}; name one folder or file`);
  try {
    const { check } = await load();
    const report = check(folder ?? storePath(io));
    if (args.on('json')) {
      io.stdout.write(`${JSON.stringify(report)}\n`);
    } else {
      const { file, end, trimmed, blocks, scrapers, ids, aside, problems } = report;
      io.stdout.write(
        `${file}: entries ${trimmed + 1} to ${end} in ${blocks} blocks, ${scrapers} scrapers, ${ids} ids\n`,
      );
      if (aside.length > 0)
        io.stdout.write(`damaged before, rebuilt since, and still in the file: ${aside.join(', ')}\n`);
      for (const problem of problems) io.stdout.write(`${problem}\n`);
      io.stdout.write(report.isWell ? 'no damage found\n' : 'the log is damaged\n');
    }
    return report.isWell ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (!(error instanceof LogOpenError)) throw error;
    if (args.on('json')) io.stdout.write(`${JSON.stringify({ isWell: false, error: error.message })}\n`);
    io.stderr.write(`oneshot log check: ${error.message}\n`);
    return EXIT.unusable;
  }
}

/** Where a server that is started here would have its log. Throws a ConfigError, or a LogOpenError where it is not in a folder. */
export function storePath(io: CliIo): string {
  const loaded = loadSettings({ argv: [], env: io.env, readFile: io.readFile, readsSecrets: false });
  if (!('settings' in loaded)) throw new UsageError('name the folder of the log');
  if (loaded.settings['store.kind'] === 'postgres')
    throw new LogOpenError(
      'the log is in PostgreSQL (store.kind=postgres), which has its own checks (pg_amcheck); name a folder or a backup to check that',
    );
  return loaded.settings['store.path'];
}
