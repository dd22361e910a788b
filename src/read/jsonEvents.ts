import { nearest } from '../core/nearest.ts';
import type { Draft, DraftFields, Read } from '../intake/draft.ts';
import { RefusedError, shown } from '../core/errors.ts';
import type { Json } from './json.ts';
import { JsonNumber, isJsonObject, kindOf, parseJson } from './json.ts';
import type { PlainReader } from './plainReader.ts';
import { textOfUtf8 } from './text.ts';

/** What the parts of an event are called in JSON. */
export const JSON_FIELDS = {
  metric: 'name',
  value: 'value',
  timestamp: 'timestamp',
  id: 'id',
  labels: 'labels.',
} as const satisfies DraftFields;

const FIELDS = ['name', 'labels', 'value', 'timestamp', 'id'] as const;
/** What others call them. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  metric: 'name',
  __name__: 'name',
  time: 'timestamp',
  ts: 'timestamp',
  tags: 'labels',
};
const IS_FIELD: ReadonlySet<string> = new Set(FIELDS);

/** The events of a body, and whether it may hold several. */
export interface Reads {
  readonly reads: Iterable<Read>;
  readonly isBatch: boolean;
}

/**
 * Reads `application/json`: one event, `{"name","labels","value","timestamp","id"}`, of which every part may be left out, or an array of
 * them. Throws a RefusedError where the body is no JSON, or its one event is none; one of an array is read as its error.
 */
export function readJsonEvents(body: Uint8Array, plain: PlainReader): Reads {
  const text = textOfUtf8('body', body);
  const one = plain.readOne(text);
  if (one !== undefined) return { reads: [one], isBatch: false };
  const all = plain.readArray(text);
  if (all !== undefined) return { reads: all, isBatch: true };
  const json = parseJson(text);
  if (Array.isArray(json)) {
    return { reads: readEach(json as readonly Json[], draftOf), isBatch: true };
  }
  return { reads: [draftOf(json)], isBatch: false };
}

/** Reads the events of an array, each when it is asked for: who counts them, or stops at the first that is wrong, spares the others. */
export function* readEach(items: readonly Json[], read: (item: Json) => Draft): Generator<Read> {
  for (const item of items) yield attempt(() => read(item));
}

/** Reads one event that stands in a text by itself. Throws a RefusedError. */
export function readJsonEvent(text: string): Draft {
  return draftOf(parseJson(text));
}

/** What is read, or why it can't be. */
export function attempt(read: () => Draft): Read {
  try {
    return read();
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}

function draftOf(json: Json): Draft {
  if (!isJsonObject(json)) {
    throw new RefusedError(
      'body',
      `an event must be an object, such as {"labels":{"type":"deploy"}}, not ${kindOf(json)}`,
    );
  }
  const unknown = Object.keys(json).find((name) => !IS_FIELD.has(name));
  if (unknown !== undefined) throw 'specversion' in json ? cloudEvent() : unknownField(unknown);
  const { name, value, timestamp, id, labels } = json;
  return {
    labels: labels === undefined ? [] : labelsOf(labels),
    ...(name !== undefined && { metric: stringOf('name', name) }),
    ...(value !== undefined && { value: scalarOf('value', value) }),
    ...(timestamp !== undefined && { timestamp: scalarOf('timestamp', timestamp) }),
    ...(id !== undefined && { id: scalarOf('id', id) }),
  };
}

function labelsOf(labels: Json): Draft['labels'] {
  if (!isJsonObject(labels)) {
    throw new RefusedError(
      'labels',
      `labels is ${kindOf(labels)}; it must be an object with names and values`,
    );
  }
  return Object.entries(labels).map(([name, json]) => [
    name,
    labelValueOf(`labels.${name.slice(0, 64)}`, json),
  ]);
}

/** A label's value: a text, or a number or boolean as it was written. Throws a RefusedError for anything else. */
export function labelValueOf(field: string, json: Json): string {
  if (typeof json === 'string') return json;
  if (json instanceof JsonNumber) return json.text;
  if (typeof json === 'boolean') return String(json);
  throw new RefusedError(
    field,
    `${field} is ${kindOf(json)}; a label's value must be a string, a number, true or false${json === null ? '; leave the label out' : ''}`,
  );
}

/** A text. Throws a RefusedError for anything else. */
export function stringOf(field: string, json: Json): string {
  if (typeof json === 'string') return json;
  throw new RefusedError(field, `${field} is ${kindOf(json)}; it must be a string${orLeftOut(json)}`);
}

function scalarOf(field: string, json: Json): string {
  if (typeof json === 'string') return json;
  if (json instanceof JsonNumber) return json.text;
  throw new RefusedError(
    field,
    `${field} is ${kindOf(json)}; it must be a number or a string${orLeftOut(json)}`,
  );
}

function orLeftOut(json: Json): string {
  return json === null ? ', or be left out' : '';
}

function cloudEvent(): RefusedError {
  return new RefusedError(
    'specversion',
    'this is a CloudEvent; send it with Content-Type: application/cloudevents+json, or an array of them with application/cloudevents-batch+json',
  );
}

function unknownField(name: string): RefusedError {
  const near = nearest(name, FIELDS, (typed, field) => OTHER_NAMES[typed] === field);
  const remedy =
    near === undefined
      ? `the fields are ${FIELDS.join(', ')}; labels belong inside labels`
      : `did you mean ${near}?`;
  return new RefusedError(name.slice(0, 64), `${shown(name)} is not a field of an event; ${remedy}`);
}
