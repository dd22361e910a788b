import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Draft, Read } from '../intake/draft.ts';
import { draftFromPairs } from '../intake/draft.ts';
import { RefusedError, UnsupportedError, shown } from '../core/errors.ts';
import { CLOUD_EVENT_FIELDS, readBinaryCloudEvent, readCloudEvents } from '../read/cloudEvents.ts';
import type { DataMapping } from '../read/dataMapping.ts';
import { parseForm } from '../read/form.ts';
import type { Reads } from '../read/jsonEvents.ts';
import { JSON_FIELDS, readJsonEvents } from '../read/jsonEvents.ts';
import type { StreamLimits } from '../read/ndjson.ts';
import { readNdjson, readNdjsonBody } from '../read/ndjson.ts';
import type { PlainReader } from '../read/plainReader.ts';
import type { EventFormat } from './eventFormat.ts';
import type { Exchange } from './exchange.ts';
import type { IngestOptions } from '../intake/ingest.ts';
import { queryOf } from './query.ts';
import { refusal } from './requestBodies.ts';

/** How bodies are read. */
export interface BodyRules {
  /** Parameters in the URL and in a form, each. */
  readonly pairsMax: number;
  readonly stream: StreamLimits;
  /** What of a CloudEvent's data becomes a label. */
  readonly cloudEventData: readonly DataMapping[];
  /** Reads JSON events as most senders write them. One for all bodies, so that none has to learn anew: decision 0037. */
  readonly plain: PlainReader;
}

/** What a body holds, for `Ingest.ingest`. */
export interface EventBody {
  /** All of them, or as they come. */
  readonly reads: Iterable<Read> | AsyncIterable<Iterable<Read>>;
  readonly options: IngestOptions;
}

/** Parameters of a URL. */
export type Pairs = readonly (readonly [name: string, value: string])[];

const PARTIAL = 'partial';

/** The formats of bodies that are read whole. */
type WholeFormat = Exclude<EventFormat, 'parameters' | 'ndjson'>;

/** Reads a request's body, and the parameters of its URL, or those of them that are the events'. Throws a RefusedError where it is none of its format. */
export function readEventBody(
  format: WholeFormat,
  request: IncomingMessage,
  body: Uint8Array,
  rules: BodyRules,
  url = urlPairs(request, rules),
): EventBody {
  return READERS[format](body, url, rules, request);
}

/** Reads a body that is NDJSON as it comes, and the parameters of its URL, or those of them that are the events'. Throws a RefusedError for these. */
export function readEventStream(
  { request, memory }: Pick<Exchange, 'request' | 'memory'>,
  body: Readable,
  rules: BodyRules,
  url = urlPairs(request, rules),
): EventBody {
  const reads = readNdjson(chunksOf(body), rules.stream, rules.plain, memory);
  return several({ reads, isBatch: true }, JSON_FIELDS, url);
}

const READERS: Record<
  WholeFormat,
  (body: Uint8Array, url: Pairs, rules: BodyRules, request: IncomingMessage) => EventBody
> = {
  json: (body, url, { plain }) => several(readJsonEvents(body, plain), JSON_FIELDS, url),
  cloudEvent: (body, url, { cloudEventData }) =>
    several(readCloudEvents(body, false, cloudEventData), CLOUD_EVENT_FIELDS, url),
  cloudEventBatch: (body, url, { cloudEventData }) =>
    several(readCloudEvents(body, true, cloudEventData), CLOUD_EVENT_FIELDS, url),
  binaryCloudEvent: (body, url, { cloudEventData }, request) => {
    const attribute = (name: string) => attributeOf(request, name);
    const draft = readBinaryCloudEvent(attribute, request.headers['content-type'], body, cloudEventData);
    return several(
      { reads: [draft], isBatch: false },
      { ...CLOUD_EVENT_FIELDS, timestamp: 'ce-time', id: 'ce-id' },
      url,
    );
  },
};

/** Reads a body that came whole, and a URL's query, without its `?`. Throws a RefusedError where it is none of its format. */
export function readWholeBody(
  format: 'json' | 'ndjson',
  query: string,
  body: Uint8Array,
  { pairsMax, stream, plain }: Pick<BodyRules, 'pairsMax' | 'stream' | 'plain'>,
): EventBody {
  const url = parseForm('url', query, pairsMax);
  const read =
    format === 'json'
      ? readJsonEvents(body, plain)
      : { reads: readNdjsonBody(body, stream, plain), isBatch: true };
  return several(read, JSON_FIELDS, url);
}

/** Reads the one event that stands in a URL, or the parameters of it that are the event's, a form, or both. Throws a RefusedError. */
export function readParameters(
  request: IncomingMessage,
  form: Uint8Array | undefined,
  rules: BodyRules,
  url = urlPairs(request, rules),
): Draft {
  return draftOf(url, form, rules);
}

/** The same of a URL's query, without its `?`, and the bytes of a form, of which there may be none. */
export function readQueryAndForm(
  query: string,
  form: Uint8Array | undefined,
  rules: Pick<BodyRules, 'pairsMax'>,
): Draft {
  return draftOf(parseForm('url', query, rules.pairsMax), form, rules);
}

function draftOf(url: Pairs, form: Uint8Array | undefined, { pairsMax }: Pick<BodyRules, 'pairsMax'>): Draft {
  if (form === undefined || form.length === 0) return draftFromPairs(url);
  refuseJson(form);
  return draftFromPairs([...url, ...parseForm('body', form, pairsMax)]);
}

function urlPairs(request: IncomingMessage, { pairsMax }: BodyRules): Pairs {
  return parseForm('url', queryOf(request), pairsMax);
}

/** How JSON begins, and no form that was encoded: `{"`, `[{`, `[]`. */
const JSON_BEGINS = /^(?:\u00ef\u00bb\u00bf)?\s*(?:\{\s*["'}]|\[\s*[[{"]|\[\s*\]\s*$)/;
const BEGINNING_BYTES = 256;

/** curl calls every body a form, unless it is told otherwise; JSON would become one label with an odd name, or an error about that name. */
function refuseJson(body: Uint8Array): void {
  if (!JSON_BEGINS.test(Buffer.from(body.subarray(0, BEGINNING_BYTES)).toString('latin1'))) return;
  throw new UnsupportedError(
    'Content-Type',
    'the body is JSON, but the Content-Type says it is a form, which is what curl sends by default; send Content-Type: application/json, or application/x-ndjson for one event per line',
  );
}

/** Events of a format that is no form: the URL says what is common to them, and how to answer. */
function several(
  { reads, isBatch }: Omit<Reads, 'reads'> & Pick<EventBody, 'reads'>,
  fields: NonNullable<IngestOptions['fields']>,
  url: Pairs,
): EventBody {
  const isPartial = isPartialOf(url.filter(([name]) => name === PARTIAL));
  const common: Draft = draftFromPairs(url.filter(([name]) => name !== PARTIAL));
  return { reads, options: { fields, common, isBatch: isBatch || isPartial, isPartial } };
}

function isPartialOf(given: Pairs): boolean {
  const [[, value] = [PARTIAL, 'false'], ...more] = given;
  if (more.length === 0 && value === 'true') return true;
  if (more.length === 0 && value === 'false') return false;
  throw new RefusedError(PARTIAL, `${PARTIAL} ${shown(value)} must be true or false, and appear only once`);
}

/** What comes of a stream, which stays open where the reader stops early: there is an answer to be sent. */
async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw refusal(error);
  }
}

/** An attribute of a CloudEvent that stands in a header. */
function attributeOf(request: IncomingMessage, name: string): string | undefined {
  const given = request.headersDistinct[`ce-${name}`];
  if (given === undefined || given.length === 1) return given?.[0];
  throw new RefusedError(`ce-${name}`, `ce-${name} appears more than once; send it once`);
}
