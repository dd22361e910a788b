import { SETTINGS } from '../config/settings.ts';
import type { Command, Options } from './command.ts';
import { SERVER_NODE_MIN } from './command.ts';

/** The server: what runs where no command is named. Its flags are the settings, read by config/. */
export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the server. It is what runs where no command is named.',
  usage: '[--<key>=<value> ...]',
  about: [],
  options: settingOptions(),
  examples: [],
  exits: [],
  nodeMajorMin: SERVER_NODE_MIN,
  run: async (io, args) => {
    // Only here: the other commands run on a Node that can't load the server.
    const { serve } = await import('./serve.ts');
    const { env, readFile, stdout, stderr, clock, elapsed, version } = io;
    const stopAsked = io.signals.stopAsked();
    const argv = args.words;
    return serve({
      argv,
      env,
      readFile,
      stdout,
      stderr,
      clock,
      elapsed,
      version,
      guide: io.guide(),
      stopAsked,
    });
  },
};

function settingOptions(): Options {
  const settings = Object.entries(SETTINGS).map(([key, { kind, doc }]) => [key, { kind, doc }] as const);
  return {
    ...Object.fromEntries(settings),
    version: { doc: 'Print the version and stop.' },
    'print-config': { doc: 'Print each setting and where it came from, and stop.' },
  };
}
