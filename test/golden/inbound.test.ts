import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { DraftFields, Read } from '../../src/intake/draft.ts';
import { RefusedError } from '../../src/core/errors.ts';
import type { EventRules } from '../../src/intake/rules.ts';
import { eventFromDraft } from '../../src/intake/eventFromDraft.ts';
import { formatSampleValue } from '../../src/core/value.ts';
import { CLOUD_EVENT_FIELDS, readBinaryCloudEvent, readCloudEvents } from '../../src/read/cloudEvents.ts';
import type { DataMapping } from '../../src/read/dataMapping.ts';
import { parseDataMapping } from '../../src/read/dataMapping.ts';
import type { Reads } from '../../src/read/jsonEvents.ts';
import { JSON_FIELDS, readJsonEvents } from '../../src/read/jsonEvents.ts';
import { readNdjson } from '../../src/read/ndjson.ts';
import { PlainReader } from '../../src/read/plainReader.ts';
import { parseSamples } from '../support/strictParser.ts';

/**
 * Bodies as senders write them, each in a file of its own: `*.good.*` is taken whole, and of `*.bad.*` something is refused. What becomes
 * of one stands beside it, in `*.expected.txt`.
 */
interface Format {
  readonly folder: string;
  /** How the names of its files end. */
  readonly extension: string;
  readonly fields: DraftFields;
  readonly read: (body: Uint8Array) => Promise<Reads>;
}

const RULES: EventRules = {
  metric: 'events',
  names: 'legacy',
  limits: { labelsMax: 8, labelNameBytesMax: 32, labelValueBytesMax: 64, seriesBytesMax: 8192, idBytesMax: 40 },
  reserved: () => false,
};
const MAPPINGS = ['env=/env', 'cluster=/where/0/na~1me', 'value=/seconds'].map(
  (text) => parseDataMapping(text) as DataMapping,
);
/** No line ends where a chunk does. */
const CHUNK_BYTES = 7;

async function* chunksOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < body.length; from += CHUNK_BYTES) yield body.subarray(from, from + CHUNK_BYTES);
}

async function allOf(reads: AsyncIterable<Iterable<Read>>): Promise<Read[]> {
  const all: Read[] = [];
  for await (const some of reads) all.push(...some);
  return all;
}

/** An event in binary mode, as it looks on the wire without the first line: headers, an empty line, the body. */
function readHttp(request: Uint8Array): Reads {
  const [head = '', ...rest] = new TextDecoder().decode(request).split('\n\n');
  const headers = new Map(
    head.split('\n').map((line) => {
      const [name = '', ...value] = line.split(': ');
      return [name.toLowerCase(), value.join(': ')];
    }),
  );
  const body = new TextEncoder().encode(rest.join('\n\n'));
  const attribute = (name: string) => headers.get(`ce-${name}`);
  const draft = readBinaryCloudEvent(attribute, headers.get('content-type'), body, MAPPINGS);
  return { reads: [draft], isBatch: false };
}

const FORMATS: readonly Format[] = [
  { folder: 'json', extension: 'json', fields: JSON_FIELDS, read: async (body) => readJsonEvents(body, new PlainReader()) },
  {
    folder: 'ndjson',
    extension: 'ndjson',
    fields: JSON_FIELDS,
    read: async (body) => ({
      reads: await allOf(readNdjson(chunksOf(body), { lineBytesMax: 100, bytesMax: 1000 }, new PlainReader())),
      isBatch: true,
    }),
  },
  {
    folder: 'cloudevents',
    extension: 'structured.json',
    fields: CLOUD_EVENT_FIELDS,
    read: async (body) => readCloudEvents(body, false, MAPPINGS),
  },
  {
    folder: 'cloudevents',
    extension: 'batch.json',
    fields: CLOUD_EVENT_FIELDS,
    read: async (body) => readCloudEvents(body, true, MAPPINGS),
  },
  {
    folder: 'cloudevents',
    extension: 'http',
    fields: CLOUD_EVENT_FIELDS,
    read: async (body) => readHttp(body),
  },
];

async function outcomeOf(format: Format, body: Uint8Array): Promise<{ report: string[]; verdict: string }> {
  let refusals = 0;
  const refused = (error: unknown): string => {
    if (!(error instanceof RefusedError)) throw error;
    refusals += 1;
    return `refused, ${error.field}: ${error.message}`;
  };
  const lineOf = (read: Read, place: string): string => {
    try {
      if (read instanceof RefusedError) throw read;
      const { series, value, sent, id } = eventFromDraft(read, RULES, format.fields);
      const sample = `${series} ${formatSampleValue(value)}`;
      parseSamples(`${sample}\n`);
      return [sample, sent === undefined ? [] : `at ${sent}`, id === undefined ? [] : `id ${JSON.stringify(id)}`]
        .flat()
        .join(', ');
    } catch (error) {
      return refused(error instanceof RefusedError && place !== '' ? error.at(place) : error);
    }
  };
  let report: string[];
  try {
    const { reads: read, isBatch } = await format.read(body);
    const reads = [...read];
    report = reads.length === 0 ? ['no event'] : reads.map((one, index) => lineOf(one, isBatch ? `[${index}]` : ''));
  } catch (error) {
    report = [refused(error)];
  }
  return { report, verdict: refusals === 0 ? 'good' : 'bad' };
}

const cases = FORMATS.flatMap((format) => {
  const folder = new URL(`${format.folder}/`, import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith(`.good.${format.extension}`) || name.endsWith(`.bad.${format.extension}`))
    .map((name) => ({ name, format, folder }));
});

describe('bodies', () => {
  test('are there, good ones and bad ones of each format', () => {
    for (const { folder, extension } of FORMATS) {
      for (const verdict of ['good', 'bad']) {
        const has = cases.some(({ name, format }) => format.folder === folder && name.endsWith(`.${verdict}.${extension}`));
        expect(has, `${folder}/*.${verdict}.${extension}`).toBe(true);
      }
    }
  });

  test.each(cases)('$format.folder/$name ends as expected, and as its name says', async ({ name, format, folder }) => {
    const { report, verdict } = await outcomeOf(format, readFileSync(new URL(name, folder)));
    expect(name).toContain(`.${verdict}.`);
    await expect(`${report.join('\n')}\n`).toMatchFileSnapshot(fileURLToPath(new URL(`${name}.expected.txt`, folder)));
  });
});
