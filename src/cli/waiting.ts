import type { Delivery, WaitOptions } from '../client/delivery.ts';
import type { SealedEvent } from '../client/event.ts';
import { PushError } from '../client/pushError.ts';
import type { Args } from './args.ts';
import { EXIT } from './command.ts';
import type { CliIo } from './io.ts';
import { UsageError } from './options.ts';
import { exitOfError } from './report.ts';
import type { Posting } from './sending.ts';
import { paintFor, printable } from './style.ts';

/** What became of a wait: where the event is, or why that can't be told. */
type Waited = Delivery | PushError | undefined;

/** How to wait, by `--wait` and `--to`; undefined where nobody waits. Throws a UsageError. */
export function waitOf(args: Args): WaitOptions | undefined {
  const timeoutMs = args.number('wait');
  const to = args
    .texts('to')
    .flatMap((ids) => ids.split(','))
    .map((id) => id.trim());
  if (timeoutMs === undefined && to.length > 0)
    throw new UsageError('--to says for which scrapers --wait waits; add --wait');
  if (to.includes(''))
    throw new UsageError(
      '--to has an empty name; is a variable not set? Write --to=prometheus-a,prometheus-b',
    );
  return timeoutMs === undefined ? undefined : { timeoutMs, ...(to.length > 0 && { to }) };
}

/** Waits for an event that the server has. */
export async function waitFor(event: SealedEvent, { delivery }: Posting): Promise<Waited> {
  try {
    return await delivery?.(event);
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    return error;
  }
}

/** An event that is not delivered is safe: on the server, or in the spool. */
export function exitOfWait(waited: Waited): number {
  if (waited instanceof PushError) return exitOfError(waited);
  return waited?.delivered === true ? EXIT.ok : EXIT.pending;
}

export function waitedJson(waited: Waited): Readonly<Record<string, unknown>> {
  if (waited === undefined) return {};
  if (waited instanceof PushError) return { delivered: false, message: waited.message };
  return { ...waited };
}

/** Tells a person where the event is. */
export function tellWaited(io: CliIo, args: Args, id: string, waited: Exclude<Waited, undefined>): void {
  if (waited instanceof PushError) {
    const line = `${paintFor(io.stderr, io.env)('red', 'not waited')} for ${id}: ${printable(waited.message)}`;
    io.stderr.write(`oneshot push: ${line}\n`);
  } else if (!waited.delivered) {
    const line = `${paintFor(io.stderr, io.env)('yellow', 'not delivered')} ${id}: ${printable(whyNot(waited))}`;
    io.stderr.write(`oneshot push: ${line}\n`);
  } else if (!args.on('json') && !args.on('quiet')) {
    io.stdout.write(`${paintFor(io.stdout, io.env)('green', 'delivered')} ${id} to ${namesOf(waited)}\n`);
  }
}

function namesOf({ scrapers }: Delivery): string {
  return scrapers
    .map(({ id, state }) => printable(state === 'delivered' ? id : `${id} (${state})`))
    .join(', ');
}

function whyNot(waited: Delivery): string {
  const states = waited.scrapers.length === 0 ? '' : ` (${statesOf(waited)})`;
  return `${waited.message ?? 'the time is over'}${states}`;
}

function statesOf({ scrapers }: Delivery): string {
  return scrapers
    .map(({ id, state, reason, message }) => [`${id}: ${state}`, reason ?? message ?? []].flat().join(', '))
    .join('; ');
}
