import type { SealedEvent } from '../client/event.ts';
import { PushError } from '../client/pushError.ts';
import type { Args } from './args.ts';
import { EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';
import { readLines } from './lines.ts';
import type { Posting } from './sending.ts';
import { exitOf, outcomeJson, outcomeLine } from './report.ts';
import { paintFor } from './style.ts';

/** A line of more than this makes no event, in bytes. */
const LINE_BYTES_MAX = 1024 * 1024;

/**
 * Posts one event for each line of standard input, in order, each as it came: the server judges it. A line that is no JSON object, or is refused, is told, and the rest goes on; where
 * the server can't be reached and there is no spool, it ends there and says so. The exit code is that of the worst line.
 */
export async function pushLines(
  io: CliIo,
  args: Args,
  { sealJson, sending, budget }: Posting,
  common: Readonly<Record<string, string>>,
): Promise<number> {
  const paint = paintFor(io.stderr, io.env);
  let accepted = 0;
  let kept = 0;
  let worst: number = EXIT.ok;
  let number = 0;
  for await (const line of readLines(io.stdin, LINE_BYTES_MAX)) {
    number += 1;
    if (typeof line === 'string' && line.trim() === '') continue;
    let event: SealedEvent;
    try {
      if (typeof line !== 'string') throw new UsageError(line.broken);
      event = sealJson(line, common);
    } catch (error) {
      if (!(error instanceof UsageError) && !(error instanceof PushError)) throw error;
      worst = Math.max(worst, EXIT.unusable);
      if (args.on('json'))
        io.stdout.write(
          `${JSON.stringify({ line: number, outcome: 'lost', reason: 'invalid', error: error.message })}\n`,
        );
      io.stderr.write(`oneshot push: line ${number}: ${paint('red', 'invalid event')}: ${error.message}\n`);
      continue;
    }
    const outcome = await sending.send(event, budget);
    if (outcome.kind === 'accepted') accepted += 1;
    if (outcome.kind === 'kept') kept += 1;
    worst = Math.max(worst, exitOf(outcome));
    if (args.on('json'))
      io.stdout.write(`${JSON.stringify({ line: number, ...outcomeJson(event.id, outcome) })}\n`);
    if (outcome.kind === 'lost') {
      io.stderr.write(`oneshot push: line ${number}: ${outcomeLine(event.id, outcome, paint)}\n`);
      if (outcome.error.reason !== 'refused') {
        io.stderr.write(
          `oneshot push: stopped at line ${number}: ${counted(accepted)} before it ${accepted === 1 ? 'was' : 'were'} accepted, the rest were not sent\n`,
        );
        return exitOf(outcome);
      }
    }
  }
  if (kept > 0) io.stderr.write(`oneshot push: ${paint('yellow', 'kept')} ${counted(kept)} to send later\n`);
  if (!args.on('json') && !args.on('quiet')) {
    io.stdout.write(`${paintFor(io.stdout, io.env)('green', 'accepted')} ${counted(accepted)}\n`);
  }
  return worst;
}

function counted(events: number): string {
  return events === 1 ? '1 event' : `${events} events`;
}
