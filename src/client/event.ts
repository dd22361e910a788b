import type { Platform } from './platform.ts';
import { PushError } from './pushError.ts';

/** Something that happened once. */
export interface NewEvent {
  /** The metric's name; without it the server's `event.metric`. */
  readonly name?: string | undefined;
  /** Few and short, as in any metric: each combination is a series. */
  readonly labels?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** A float64; without it 1. */
  readonly value?: number | undefined;
  /** When it happened: a Date, or milliseconds since the Unix epoch. Without it now, so that a late delivery is still at its true time. */
  readonly timestamp?: Date | number | undefined;
  /** What tells it apart from all others, so that it is stored once however often it is sent. Random without it. */
  readonly id?: string | undefined;
}

/**
 * An event whose id and time are fixed, ready to be sent: now, again, later, or by another process; it stays one event. It is plain
 * JSON.
 */
export interface SealedEvent {
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** The body of `POST /event`, without the id. */
  readonly form: string;
}

/** Parameters of `POST /event` that are no labels. */
const NO_LABELS: Readonly<Record<string, string>> = {
  value: 'value',
  __name__: 'name',
  __timestamp__: 'timestamp',
  __id__: 'id',
};

/** What a header carries unchanged: printable ASCII, no blank at either end. */
const ID = /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/;
/** The last moment that RFC 3339 can write. */
const TIME_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Fixes an event's id and time. Throws a PushError (`invalid`) for what can't be sent; the server checks the rest. */
export function seal(event: NewEvent, { now, randomId }: Pick<Platform, 'now' | 'randomId'>): SealedEvent {
  const id = event.id ?? randomId();
  if (!ID.test(id))
    throw invalid('id', 'id must be 1 to 256 printable ASCII characters without a blank at its ends');
  const time = timeOf(event.timestamp ?? now());
  const pairs: [name: string, value: string][] = [];
  for (const [name, value] of Object.entries(event.labels ?? {})) {
    const field = Object.hasOwn(NO_LABELS, name) ? NO_LABELS[name] : undefined;
    if (field !== undefined) throw invalid(name, `${name} can't be a label; give it as the event's ${field}`);
    pairs.push([name, String(value)]);
  }
  if (event.name !== undefined) pairs.push(['__name__', event.name]);
  if (event.value !== undefined) pairs.push(['value', numberText(event.value)]);
  pairs.push(['__timestamp__', new Date(time).toISOString()]);
  return {
    id,
    time,
    form: pairs.map(([name, value]) => `${encoded(name, name)}=${encoded(name, value)}`).join('&'),
  };
}

function timeOf(timestamp: Date | number): number {
  const time = Math.floor(Number(timestamp));
  if (time >= 0 && time <= TIME_MAX) return time;
  throw invalid('timestamp', 'timestamp must be a Date, or milliseconds since the Unix epoch');
}

/** As Prometheus writes a float64. */
function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

function encoded(field: string, text: string): string {
  try {
    return encodeURIComponent(text);
  } catch (cause) {
    throw invalid(field, `${field} holds half of a surrogate pair; send whole Unicode characters`, cause);
  }
}

function invalid(field: string, message: string, cause?: unknown): PushError {
  return new PushError('invalid', message, { field, cause });
}
