import type { Draft, DraftFields } from '../intake/draft.ts';
import { RefusedError, shown } from '../core/errors.ts';
import type { DataMapping } from './dataMapping.ts';
import { mapData } from './dataMapping.ts';
import type { Json } from './json.ts';
import { isJsonObject, kindOf, parseJson } from './json.ts';
import type { Reads } from './jsonEvents.ts';
import { readEach, stringOf } from './jsonEvents.ts';
import { textOfUtf8 } from './text.ts';

/**
 * What the parts of an event are called in a CloudEvent, which has no name of a metric of its own.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
export const CLOUD_EVENT_FIELDS = {
  metric: '__name__',
  value: 'value',
  timestamp: 'time',
  id: 'id',
  labels: '',
} as const satisfies DraftFields;

/** The only version that is taken. */
const SPEC_VERSION = '1.0';
/** `application/json`, `text/json`, `application/anything+json`, with or without parameters. */
const IS_JSON = /^[^;]+[/+]json\s*(?:;|$)/i;

/** The space of the ids that a source of CloudEvents gives out. */
export function cloudEventSpace(source: string): string {
  return `cloudevents ${source}`;
}

/** A CloudEvent's attributes that are used here. */
interface Attributes {
  readonly specversion?: string;
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
}

/**
 * Reads `application/cloudevents+json`, and with `isBatch` `application/cloudevents-batch+json`: an event, or an array of them. Throws a
 * RefusedError where the body is no JSON, or its one event is none; one of a batch is read as its error.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export function readCloudEvents(body: Uint8Array, isBatch: boolean, mappings: readonly DataMapping[]): Reads {
  const json = parseJson(textOfUtf8('body', body));
  if (!isBatch) return { reads: [structured(json, mappings)], isBatch };
  if (!Array.isArray(json)) {
    throw new RefusedError(
      'body',
      `body is ${kindOf(json)}; a batch must be an array of events; send a single event as application/cloudevents+json`,
    );
  }
  return { reads: readEach(json as readonly Json[], (one) => structured(one, mappings)), isBatch };
}

/**
 * Reads an event whose attributes stand in headers (`ce-id`, `ce-source` …) and whose body is its data, of whatever type. Throws a
 * RefusedError.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export function readBinaryCloudEvent(
  attribute: (name: string) => string | undefined,
  contentType: string | undefined,
  body: Uint8Array,
  mappings: readonly DataMapping[],
): Draft {
  const attributes: Record<string, string> = {};
  for (const name of ['specversion', 'id', 'source', 'type', 'subject', 'time']) {
    const value = attribute(name);
    if (value !== undefined) attributes[name] = decodeHeader(`ce-${name}`, value);
  }
  const isRead = mappings.length > 0 && body.length > 0 && IS_JSON.test(contentType ?? '');
  const data = isRead ? parseJson(textOfUtf8('body', body)) : undefined;
  return draftOf(attributes, data, mappings, 'ce-');
}

function structured(json: Json, mappings: readonly DataMapping[]): Draft {
  if (!isJsonObject(json)) {
    throw new RefusedError('body', `a CloudEvent must be an object, not ${kindOf(json)}`);
  }
  const attributes: Record<string, string> = {};
  for (const name of ['specversion', 'id', 'source', 'type', 'subject', 'time']) {
    const value = json[name];
    // An attribute that is null is one that is not there.
    if (value !== undefined && value !== null) attributes[name] = stringOf(name, value);
  }
  const { data, data_base64: base64 = null, datacontenttype } = json;
  if (base64 === null) return draftOf(attributes, data, mappings, '');
  if (data !== undefined) {
    throw new RefusedError('data_base64', 'data and data_base64 are both set; set only one of them');
  }
  const type = typeof datacontenttype === 'string' ? datacontenttype : 'application/json';
  const bytes = bytesOf(stringOf('data_base64', base64));
  const isRead = mappings.length > 0 && IS_JSON.test(type);
  return draftOf(attributes, isRead ? parseJson(textOfUtf8('data_base64', bytes)) : undefined, mappings, '');
}

/** `prefix` stands before an attribute's name where the event has it. */
function draftOf(
  attributes: Attributes,
  data: Json | undefined,
  mappings: readonly DataMapping[],
  prefix: string,
): Draft {
  const version = required(attributes, 'specversion', prefix);
  if (version !== SPEC_VERSION) {
    throw new RefusedError(
      `${prefix}specversion`,
      `${prefix}specversion ${shown(version)} is not supported; send CloudEvents ${SPEC_VERSION}`,
    );
  }
  const id = required(attributes, 'id', prefix);
  const source = required(attributes, 'source', prefix);
  const type = required(attributes, 'type', prefix);
  const { subject, time } = attributes;
  const mapped = mapData(data, mappings);
  const value = mapped.find(([name]) => name === 'value')?.[1];
  return {
    // Together they are unique, the id alone is not.
    id,
    idSpace: cloudEventSpace(source),
    labels: [
      ['type', type],
      ['source', source],
      ...(subject === undefined ? [] : [['subject', subject] as const]),
      ...mapped.filter(([name]) => name !== 'value'),
    ],
    ...(value !== undefined && { value }),
    ...(time !== undefined && { timestamp: time }),
  };
}

function required(attributes: Attributes, name: keyof Attributes, prefix: string): string {
  const value = attributes[name];
  if (value !== undefined && value !== '') return value;
  throw new RefusedError(
    prefix + name,
    `${prefix}${name} is ${value === undefined ? 'missing' : 'empty'}; a CloudEvent needs specversion, id, source and type`,
  );
}

const PRINTABLE = /^[\x20-\x7e]*$/;

/** A header holds printable ASCII, perhaps in quotes, and the rest percent-encoded. */
function decodeHeader(field: string, raw: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(raw)?.[1];
  const text = quoted === undefined ? raw : quoted.replaceAll(/\\(.)/g, '$1');
  try {
    if (PRINTABLE.test(text)) return decodeURIComponent(text);
  } catch {
    // Said below.
  }
  throw new RefusedError(
    field,
    `${field} ${shown(raw)} is not valid; send UTF-8, percent-encode everything except printable ASCII, and write % as %25`,
  );
}

function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new RefusedError('data_base64', 'data_base64 is not valid base64', { cause });
  }
}
