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
export type SealedEvent = SealedForm | SealedJson;

interface Sealed {
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
}

export interface SealedForm extends Sealed {
  /** The body of `POST /event`, without the id. */
  readonly form: string;
}

/** An event that somebody wrote as JSON, which is sent to the letter. */
export interface SealedJson extends Sealed {
  readonly json: string;
  /** The parameters of the URL: labels to be added, and the time where the JSON has none. */
  readonly query: string;
  /** Whether the id is the JSON's own, and not to be said again. */
  readonly hasOwnId: boolean;
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
export const ID_RULE = 'id must be 1 to 256 printable ASCII characters, without a space at either end';

/** Whether an id can be sent. */
export function isSendableId(id: string): boolean {
  return ID.test(id);
}

/** The last moment that RFC 3339 can write. */
const TIME_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Fixes an event's id and time. Throws a PushError (`invalid`) for what can't be sent; the server checks the rest. */
export function seal(event: NewEvent, { now, randomId }: Pick<Platform, 'now' | 'randomId'>): SealedForm {
  const id = event.id ?? randomId();
  if (!isSendableId(id)) throw invalid('id', ID_RULE);
  const time = timeOf(event.timestamp ?? now());
  const pairs: [name: string, value: string][] = [];
  for (const [name, value] of Object.entries(event.labels ?? {})) {
    const field = Object.hasOwn(NO_LABELS, name) ? NO_LABELS[name] : undefined;
    if (field !== undefined)
      throw invalid(name, `${name} can't be a label; use the event's ${field} instead`);
    pairs.push([name, String(value)]);
  }
  if (event.name !== undefined) pairs.push(['__name__', event.name]);
  if (event.value !== undefined) pairs.push(['value', numberText(event.value)]);
  pairs.push(['__timestamp__', new Date(time).toISOString()]);
  return { id, time, form: formOf(pairs) };
}

/**
 * Fixes the id and the time of an event that is one JSON object, and leaves its text as it is: numbers keep their digits, and what the server
 * should refuse reaches it. `labels` are added to it. Throws a PushError (`invalid`) for what is no JSON object.
 */
export function sealJson(
  json: string,
  labels: Readonly<Record<string, string>>,
  { now, randomId }: Pick<Platform, 'now' | 'randomId'>,
): SealedJson {
  const { id, timestamp } = objectIn(json);
  const own = typeof id === 'string' || typeof id === 'number' ? printed(String(id)) : undefined;
  const time = momentOf(timestamp) ?? now();
  const pairs = Object.entries(labels);
  if (timestamp === undefined) pairs.push(['__timestamp__', new Date(time).toISOString()]);
  return { id: own ?? randomId(), time, json, query: formOf(pairs), hasOwnId: id !== undefined };
}

function objectIn(json: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(json.replace(/^\ufeff/, ''));
  } catch (cause) {
    throw invalid(
      'body',
      `not valid JSON: ${(cause as Error).message.replace(/ is not valid JSON$/, '')}`,
      cause,
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw invalid('body', 'not a JSON object; write {"labels":{"type":"deploy"}}');
}

/** What a time of JSON says, as far as can be told here; the server reads it itself. */
function momentOf(timestamp: unknown): number | undefined {
  const text = String(timestamp);
  const number = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
  // Anything that begins otherwise is no RFC 3339, though `Date.parse` may make a date of it.
  const date = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  const time = Math.floor(number === undefined ? date : number < 1e11 ? number * 1000 : number);
  return time >= 0 && time <= TIME_MAX ? time : undefined;
}

/** An id as it may be shown on a terminal. */
function printed(id: string): string {
  return id.replaceAll(/[\p{Cc}\p{Cs}]/gu, '?');
}

function formOf(pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs.map(([name, value]) => `${encoded(name, name)}=${encoded(name, value)}`).join('&');
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
    throw invalid(field, `${field} contains half a surrogate pair; send valid Unicode`, cause);
  }
}

function invalid(field: string, message: string, cause?: unknown): PushError {
  return new PushError('invalid', message, { field, cause });
}
