import type { PushError } from '../client/pushError.ts';
import { EXIT } from './command.ts';
import type { Outcome } from './sending.ts';
import type { CliIo } from './io.ts';
import type { Paint } from './style.ts';
import { paintFor, printable } from './style.ts';

/** The exit code for what became of an event. One that is kept is not lost; but wrong credentials will not mend themselves. */
export function exitOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'accepted':
      return EXIT.ok;
    case 'kept':
      return outcome.error.reason === 'denied' ? EXIT.denied : EXIT.ok;
    case 'lost':
      return exitOfError(outcome.error);
    default:
      return outcome satisfies never;
  }
}

export function exitOfError({ reason }: Pick<PushError, 'reason'>): number {
  switch (reason) {
    case 'invalid':
      return EXIT.unusable;
    case 'refused':
      return EXIT.refused;
    case 'denied':
      return EXIT.denied;
    case 'unavailable':
      return EXIT.failed;
    default:
      return reason satisfies never;
  }
}

/** What became of an event, as JSON. */
export function outcomeJson(id: string, outcome: Outcome): Readonly<Record<string, unknown>> {
  if (outcome.kind === 'accepted') {
    const { time, duplicate, attempts } = outcome.receipt;
    return { outcome: 'accepted', id, time: new Date(time).toISOString(), duplicate, attempts };
  }
  const { reason, message, status, field } = outcome.error;
  const why = { reason, error: message, status, field };
  if (outcome.kind === 'kept') return { outcome: 'kept', id, folder: outcome.folder, ...why };
  return { outcome: 'lost', id, ...why, spoolError: outcome.spoolError?.message };
}

/** What became of an event, as a line for a person. */
export function outcomeLine(id: string, outcome: Outcome, paint: Paint): string {
  switch (outcome.kind) {
    case 'accepted':
      return `${paint('green', outcome.receipt.duplicate ? 'already accepted' : 'accepted')} ${id}`;
    case 'kept':
      return `${paint('yellow', 'kept')} ${id} in ${outcome.folder} to send later: ${printable(outcome.error.message)}`;
    case 'lost': {
      const spool =
        outcome.spoolError === undefined ? '' : `; it couldn't be kept either: ${outcome.spoolError.message}`;
      return `${paint('red', 'not accepted')} ${id}: ${printable(outcome.error.message)}${spool}`;
    }
    default:
      return outcome satisfies never;
  }
}

/** Tells of an event in the spool that can't ever be sent. */
export function refusedTeller(
  io: Pick<CliIo, 'stderr' | 'env'>,
  command: string,
): (refused: { id: string; reason: string }) => void {
  return ({ id, reason }) => {
    const what = paintFor(io.stderr, io.env)('red', 'moved to refused/');
    io.stderr.write(`oneshot ${command}: ${what} ${printable(id)}: ${printable(reason)}\n`);
  };
}
