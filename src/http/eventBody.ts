import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
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
import type { IngestOptions } from '../intake/ingest.ts';
import { queryOf } from './query.ts';

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

type Pairs = readonly (readonly [name: string, value: string])[];

const PARTIAL = 'partial';

const NO_BODY = new Uint8Array();

/** Reads a request's body, and the parameters of its URL. Throws a RefusedError where it is none of its format. */
export function readEventBody(format: EventFormat, request: FastifyRequest, rules: BodyRules): EventBody {
  const url = parseForm('url', queryOf(request.raw), rules.pairsMax);
  return READERS[format](request, url, rules);
}

const READERS: Record<EventFormat, (request: FastifyRequest, url: Pairs, rules: BodyRules) => EventBody> = {
  parameters: (request, _url, rules) => ({ reads: [readParameters(request, rules)], options: {} }),
  json: (request, url, { plain }) => several(readJsonEvents(bytesOf(request), plain), JSON_FIELDS, url),
  ndjson: (request, url, { stream, plain }) => {
    const reads = readNdjson(chunksOf(request.body as Readable), stream, plain, request.memory);
    return several({ reads, isBatch: true }, JSON_FIELDS, url);
  },
  cloudEvent: (request, url, { cloudEventData }) =>
    several(readCloudEvents(bytesOf(request), false, cloudEventData), CLOUD_EVENT_FIELDS, url),
  cloudEventBatch: (request, url, { cloudEventData }) =>
    several(readCloudEvents(bytesOf(request), true, cloudEventData), CLOUD_EVENT_FIELDS, url),
  binaryCloudEvent: (request, url, { cloudEventData }) => {
    const draft = readBinaryCloudEvent(
      (name) => attributeOf(request, name),
      request.headers['content-type'],
      bytesOf(request),
      cloudEventData,
    );
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

/** Reads the one event that stands in a URL, a form, or both. Throws a RefusedError. */
export function readParameters({ raw, body }: FastifyRequest, rules: BodyRules): Draft {
  return readQueryAndForm(queryOf(raw), body instanceof Uint8Array ? body : NO_BODY, rules);
}

/** The same of a URL's query, without its `?`, and the bytes of a form, of which there may be none. */
export function readQueryAndForm(
  query: string,
  form: Uint8Array,
  { pairsMax }: Pick<BodyRules, 'pairsMax'>,
): Draft {
  const url = parseForm('url', query, pairsMax);
  if (form.length === 0) return draftFromPairs(url);
  refuseJson(form);
  return draftFromPairs([...url, ...parseForm('body', form, pairsMax)]);
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

/** A body that came whole. What came as a stream, and is data of no use here, is nothing. */
function bytesOf({ body }: FastifyRequest): Uint8Array {
  return body instanceof Uint8Array ? body : NO_BODY;
}

/** What comes of a stream, which stays open where the reader stops early: there is an answer to be sent. */
async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (!CUT.has((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
    throw new RefusedError('body', 'the body is incomplete; send it again', { cause });
  }
}

/** The codes of a stream whose sender went away. */
const CUT = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** An attribute of a CloudEvent that stands in a header. */
function attributeOf(request: FastifyRequest, name: string): string | undefined {
  const given = request.raw.headersDistinct[`ce-${name}`];
  if (given === undefined || given.length === 1) return given?.[0];
  throw new RefusedError(`ce-${name}`, `ce-${name} appears more than once; send it once`);
}
