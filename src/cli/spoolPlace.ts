import { join } from 'node:path';
import { text } from '../config/valueTypes.ts';
import type { Remote } from './api.ts';
import type { Option } from './options.ts';
import type { CliIo } from './io.ts';
import { Spool } from './spool/spool.ts';

/** A claim outlives the sending that it is for by this, in ms. */
const CLAIM_SLACK_MS = 30_000;

/** The option that says where the spool is; `fallback` says where it is without. */
export function spoolOption(fallback: string): Option {
  return {
    type: { ...text(), placeholder: '<folder>' },
    env: 'ONESHOT_SPOOL',
    doc: `The folder for events that couldn't be sent. Default: $ONESHOT_SPOOL, or else ${fallback}.`,
  };
}

/** Where it is said to be in help. */
export const DEFAULT_SPOOL = '$XDG_STATE_HOME/oneshot/spool, or ~/.local/state/oneshot/spool';

/**
 * The spool of those who name none; undefined where the user has no home either.
 * Source: https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function defaultSpool({ env, home }: Pick<CliIo, 'env' | 'home'>): string | undefined {
  const state = env['XDG_STATE_HOME'] ?? '';
  // A relative path is to be ignored, says the specification.
  if (state.startsWith('/')) return join(state, 'oneshot', 'spool');
  return home === undefined ? undefined : join(home, '.local', 'state', 'oneshot', 'spool');
}

/** The events that wait in a folder for a server. `totalMs` is how long the sending of one event may take. */
export function openSpool(io: CliIo, folder: string, remote: Remote, totalMs: number): Spool {
  return new Spool(folder, remote.url, {
    clock: io.clock,
    randomId: io.randomId,
    claimMs: totalMs + CLAIM_SLACK_MS,
  });
}
