import { printConfig } from '../config/describe.ts';
import { loadSettings } from '../config/load.ts';
import { SETTINGS } from '../config/settings.ts';
import type { Command } from './command.ts';
import type { Options } from './options.ts';
import { CLIENT_NODE_MIN, EXIT, SERVER_NODE_MIN } from './command.ts';
import type { CliIo } from './io.ts';

/** The server: what runs where no command is named. Its flags are the settings, read by config/. */
export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the server. This is the default if you name no command.',
  usage: '[--<key>=<value> ...]',
  about: [],
  options: settingOptions(),
  examples: [],
  exits: [],
  nodeMajorMin: CLIENT_NODE_MIN,
  run: async (io, args) => {
    if (io.nodeMajor < SERVER_NODE_MIN) return withoutServer(io, args.words);
    // Only here: the other commands run on a Node that can't load the server.
    const { serve } = await import('./serve.ts');
    const { env, readFile, stdout, stderr, lasting, onUncaught, clock, machine, elapsed, version } = io;
    const stopAsked = io.signals.stopAsked();
    const argv = args.words;
    return serve({
      argv,
      env,
      readFile,
      stdout,
      stderr,
      lasting,
      onUncaught,
      clock,
      machine,
      elapsed,
      version,
      guide: io.guide(),
      stopAsked,
    });
  },
};

/** What a Node that is too old for the server can do all the same. Throws a ConfigError. */
function withoutServer(
  { env, readFile, stdout, stderr, version, nodeMajor }: CliIo,
  argv: readonly string[],
): number {
  const loaded = loadSettings({ argv, env, readFile });
  if (loaded.action === 'version') stdout.write(`oneShotMetricsServer ${version}\n`);
  else if (loaded.action === 'print-config') stdout.write(printConfig(loaded));
  else {
    stderr.write(`oneshot serve: needs Node ${SERVER_NODE_MIN} or newer, but this is Node ${nodeMajor}\n`);
    return EXIT.unusable;
  }
  return EXIT.ok;
}

function settingOptions(): Options {
  const settings = Object.entries(SETTINGS).map(([key, { type, doc }]) => [key, { type, doc }] as const);
  return {
    ...Object.fromEntries(settings),
    version: { doc: 'Print the version.' },
    'print-config': { doc: 'Print each setting and where it comes from.' },
  };
}
