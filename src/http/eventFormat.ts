import type { IncomingHttpHeaders } from 'node:http';
import { UnsupportedError, shown } from '../core/errors.ts';

/** How the events of a request are written. */
export type EventFormat =
  'parameters' | 'json' | 'ndjson' | 'cloudEvent' | 'cloudEventBatch' | 'binaryCloudEvent';

export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const NDJSON_TYPES = ['application/x-ndjson', 'application/jsonl'] as const;

const FORMATS: ReadonlyMap<string, EventFormat> = new Map<string, EventFormat>([
  [FORM_TYPE, 'parameters'],
  ['application/json', 'json'],
  ...NDJSON_TYPES.map((type) => [type, 'ndjson'] as const),
  ['application/cloudevents+json', 'cloudEvent'],
  ['application/cloudevents-batch+json', 'cloudEventBatch'],
]);

/** https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1 */
const MEDIA_TYPE = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)"?/i;
const IS_UTF8 = /^(?:utf-?8|us-ascii)$/i;

const OF_CLOUD_EVENTS: ReadonlySet<EventFormat> = new Set<EventFormat>([
  'cloudEvent',
  'cloudEventBatch',
  'binaryCloudEvent',
]);

export function isOfCloudEvents(format: EventFormat): boolean {
  return OF_CLOUD_EVENTS.has(format);
}

/**
 * Tells the format by the head of a request: its Content-Type, or the `ce-*` headers of a CloudEvent whose body is of another type.
 * Some clients name JSON whatever they send: without a body, what the URL says is the event. Throws an UnsupportedError that lists what is
 * taken.
 */
export function eventFormatOf(headers: IncomingHttpHeaders, hasQuery = false): EventFormat {
  const contentType = headers['content-type'];
  const type = mediaTypeOf(contentType);
  const isCloudEvent = type?.startsWith('application/cloudevents') === true;
  if (headers['ce-specversion'] !== undefined && !isCloudEvent) return 'binaryCloudEvent';
  if (contentType === undefined && !hasBody(headers)) return 'parameters';
  const format = FORMATS.get(type ?? '') ?? (isOtherJson(type) && !isCloudEvent ? 'json' : undefined);
  if (contentType === undefined || format === undefined) throw notTaken(contentType);
  if ((format === 'json' || format === 'ndjson') && hasQuery && !hasBody(headers)) return 'parameters';
  if (format !== 'parameters') checkCharset(contentType);
  return format;
}

function isOtherJson(type: string | undefined): boolean {
  return type !== undefined && /^application\/.+\+json$/.test(type);
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
}

function notTaken(contentType: string | undefined): UnsupportedError {
  const what =
    contentType === undefined
      ? 'a body needs a Content-Type'
      : `unsupported Content-Type ${shown(contentType)}`;
  return new UnsupportedError(
    'Content-Type',
    `${what}; use one of ${[...FORMATS.keys()].join(', ')}, or a CloudEvent with ce-* headers; labels can also be in the URL`,
  );
}

/** A media type in lower case, without its parameters; undefined where the header is none. */
function mediaTypeOf(header: string | undefined): string | undefined {
  return MEDIA_TYPE.exec(header ?? '')?.[1]?.toLowerCase();
}

/** Throws an UnsupportedError where a Content-Type names a charset that is not UTF-8, or a part of it. */
function checkCharset(header: string): void {
  const charset = CHARSET.exec(header)?.[1];
  if (charset === undefined || IS_UTF8.test(charset)) return;
  throw new UnsupportedError(
    'Content-Type',
    `unsupported charset ${shown(charset)} in Content-Type; send the body as UTF-8`,
  );
}
