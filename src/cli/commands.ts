import { SCOPES } from '../access/scopes.ts';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from '../access/tokens.ts';
import type { Command } from './command.ts';
import { completionOf } from './completion.ts';
import { configCheck } from './configCheck.ts';
import { logBackup } from './logBackup.ts';
import { logCheckOf } from './logCheck.ts';
import { push } from './push.ts';
import { receipt } from './receipt.ts';
import { runCommand } from './run.ts';
import { scrapers, scrapersForget, sinks } from './scrapers.ts';
import { serveCommand } from './serveCommand.ts';
import { spoolCommand, spoolFlush } from './spoolCommands.ts';
import { tail } from './tail.ts';
import { tokenNewOf } from './tokenNew.ts';
import { webhookTryOf } from './webhookTry.ts';

/** Every command, in the order of help. A line is all it takes to add one: help and completion follow from it. */
export const COMMANDS: readonly Command[] = [
  serveCommand,
  push,
  runCommand,
  tail,
  receipt,
  scrapers,
  scrapersForget,
  sinks,
  spoolCommand,
  spoolFlush,
  configCheck,
  logBackup,
  logCheckOf(async () => (await import('../app/logFiles.ts')).logFiles),
  webhookTryOf(async () => (await import('../app/tryWebhook.ts')).tryWebhookWith),
  tokenNewOf({
    scopes: SCOPES,
    randomBytes: TOKEN_RANDOM_BYTES,
    newToken,
    hashToken,
    entry: tokenEntry,
  }),
  completionOf(() => COMMANDS),
];

/** The command that a line begins with, and what stands behind its name. The longest name wins: `config check`. */
export function commandIn(
  argv: readonly string[],
): { command: Command; rest: readonly string[] } | undefined {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(' ');
    const command = COMMANDS.find((each) => each.name === name);
    if (command !== undefined) return { command, rest: argv.slice(words) };
  }
  return undefined;
}
