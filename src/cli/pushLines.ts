import { shown } from '../config/error.ts';
import { suggestion } from '../config/names.ts';
import type { NewEvent, SealedEvent } from '../client/event.ts';
import { PushError } from '../client/pushError.ts';
import type { Args } from './args.ts';
import { EXIT, UsageError } from './command.ts';
import type { CliIo } from './io.ts';
import { readLines } from './lines.ts';
import type { Posting } from './push.ts';
import { exitOf, outcomeJson, outcomeLine } from './report.ts';
import { paintFor } from './style.ts';
import { timeOf, valueOf } from './words.ts';

/** A line of more than this makes no event, in bytes. */
const LINE_BYTES_MAX = 1024 * 1024;

/**
 * Posts one event for each line of standard input, in order. A line that makes no event, or is refused, is told, and the rest goes on; where
 * the server can't be reached and there is no spool, it ends there and says so. The exit code is that of the worst line.
 */
export async function pushLines(
  io: CliIo,
  args: Args,
  { seal, delivery, budget }: Posting,
  common: Readonly<Record<string, string>>,
): Promise<number> {
  const paint = paintFor(io.stderr, io.env);
  let accepted = 0;
  let kept = 0;
  let worst: number = EXIT.ok;
  let number = 0;
  for await (const line of readLines(io.stdin, LINE_BYTES_MAX)) {
    number += 1;
    if (line?.trim() === '') continue;
    let event: SealedEvent;
    try {
      if (line === undefined) throw new UsageError(`longer than ${LINE_BYTES_MAX} bytes; make it shorter`);
      event = seal(eventInLine(line, common));
    } catch (error) {
      if (!(error instanceof UsageError) && !(error instanceof PushError)) throw error;
      worst = Math.max(worst, EXIT.unusable);
      if (args.on('json'))
        io.stdout.write(
          `${JSON.stringify({ line: number, outcome: 'lost', reason: 'invalid', error: error.message })}\n`,
        );
      io.stderr.write(`oneshot push: line ${number}: ${paint('red', 'no event')}: ${error.message}\n`);
      continue;
    }
    const outcome = await delivery.deliver(event, budget);
    if (outcome.kind === 'accepted') accepted += 1;
    if (outcome.kind === 'kept') kept += 1;
    worst = Math.max(worst, exitOf(outcome));
    if (args.on('json'))
      io.stdout.write(`${JSON.stringify({ line: number, ...outcomeJson(event.id, outcome) })}\n`);
    if (outcome.kind === 'lost') {
      io.stderr.write(`oneshot push: line ${number}: ${outcomeLine(event.id, outcome, paint)}\n`);
      if (outcome.error.reason !== 'refused') {
        io.stderr.write(
          `oneshot push: stopped at line ${number}: the ${accepted} events before it were accepted, the rest was not sent\n`,
        );
        return exitOf(outcome);
      }
    }
  }
  if (kept > 0)
    io.stderr.write(`oneshot push: ${paint('yellow', 'kept')} ${kept} events, to be sent later\n`);
  if (!args.on('json') && !args.on('quiet')) {
    io.stdout.write(`${paintFor(io.stdout, io.env)('green', 'accepted')} ${accepted} events\n`);
  }
  return worst;
}

const FIELDS = ['name', 'labels', 'value', 'timestamp', 'id'] as const;

/** Reads one event, with the same fields as the JSON that the server takes. Throws a UsageError. */
function eventInLine(line: string, common: Readonly<Record<string, string>>): NewEvent {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new UsageError(`not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UsageError(`${shown(json)} is no JSON object; write {"labels":{"type":"deploy"}}`);
  }
  const unknown = Object.keys(json).find((key) => !FIELDS.some((field) => field === key));
  if (unknown !== undefined) {
    throw new UsageError(
      `unknown field ${shown(unknown)}${suggestion(unknown, FIELDS)}; an event has ${FIELDS.join(', ')}`,
    );
  }
  const {
    name,
    labels = {},
    value,
    timestamp,
    id,
  } = json as Partial<Record<(typeof FIELDS)[number], unknown>>;
  return {
    name: optional('name', name, isText),
    labels: joined(common, labels),
    value:
      value === undefined ? undefined : valueOf('value', String(optional('value', value, isTextOrNumber))),
    timestamp:
      timestamp === undefined
        ? undefined
        : timeOf('timestamp', String(optional('timestamp', timestamp, isTextOrNumber))),
    id: optional('id', id, isText),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNumber = (value: unknown): value is string | number => isText(value) || Number.isFinite(value);
const isScalar = (value: unknown): value is string | number | boolean =>
  isTextOrNumber(value) || typeof value === 'boolean';

function optional<T>(field: string, value: unknown, is: (value: unknown) => value is T): T | undefined {
  if (value === undefined || is(value)) return value;
  throw new UsageError(`${field} ${shown(value)} must be a text${is(0) ? ' or a number' : ''}`);
}

function joined(common: Readonly<Record<string, string>>, own: unknown): NewEvent['labels'] {
  if (typeof own !== 'object' || own === null || Array.isArray(own)) {
    throw new UsageError(`labels ${shown(own)} must be an object; write {"type":"deploy"}`);
  }
  const labels = Object.entries(own).map(([name, value]: [string, unknown]) => {
    if (Object.hasOwn(common, name))
      throw new UsageError(`the label ${shown(name)} stands on the command line, too; give it once`);
    if (!isScalar(value))
      throw new UsageError(
        `the label ${shown(name)} must be a text, a number or a boolean, not ${shown(value)}`,
      );
    return [name, value] as const;
  });
  return { ...common, ...Object.fromEntries(labels) };
}
