import { askAll } from '../connection.ts';
import type { Flood, Victim } from '../flood.ts';
import type { Decoder, Made } from '../posts.ts';
import { eventsOf, requestOf } from '../posts.ts';
import type { Encoding } from '../texts.ts';
import { textsOf } from '../texts.ts';

/** Enough that the server always has one to work on. */
const CLIENTS = 8;

/** What is made of a count, and of a text that no other count has. */
type Shape = (text: string, count: number) => Made;

interface Wanted {
  readonly decoder: Decoder;
  readonly encoding: Encoding;
  /** Of the text that makes events distinct. */
  readonly bytes: number;
  readonly shape?: Shape;
  readonly clients?: number;
  /** Events of a request; as many as fit well by default. */
  readonly each?: number;
}

/** So many requests, each of 3.6 MB of events: 250 MB of large series, 1,200,000 small ones, or ids; 7,000 types; 10,000 of one hash. */
const MEASURED_BY_BYTES: ReadonlyMap<number, number> = new Map([
  [1, 70],
  [2, 120],
  [3, 120],
  [9, 8],
  [10, 3],
]);

const LABEL: Shape = (text) => ({ labels: { a: text } });
const TYPE: Shape = (text) => ({ labels: { type: text } });
/** Names are of the legacy charset. */
const METRIC: Shape = (text, count) => ({ name: `m${count}_${text}`, labels: { a: 'b' } });
const NAMES: Shape = (text, count) => ({ labels: { [`l${count}_${text}`]: 'x', a: 'b' } });
/** Each value is within its limit; the series' text is far beyond what V8 hashes. */
const FOUR: Shape = (text) => ({ labels: { a: text, b: text, c: text, d: text } });
const ID: Shape = (text) => ({ labels: { a: 'b' }, id: text });

/** Posts events that differ from each other. */
function distinct({ decoder, encoding, bytes, shape = LABEL, clients = CLIENTS, each: wanted }: Wanted) {
  return async (victim: Victim): Promise<void> => {
    const text = textsOf(encoding, bytes, victim.random);
    const { labels } = shape(text(0), 0);
    const each =
      wanted ?? eventsOf(decoder, Math.max(bytes, Buffer.byteLength(Object.values(labels).join(''))));
    await askAll(victim, clients, (count) =>
      requestOf(
        decoder,
        Array.from({ length: each }, (_, at) => shape(text(count * each + at), count * each + at)),
      ),
    );
  };
}

function flood(kind: number, what: string, wanted: Wanted, isUsual = false): Flood {
  const { decoder, encoding, bytes } = wanted;
  const name = `${what}, ${bytes} B ${encoding}, ${decoder}`;
  const leastAnswers = MEASURED_BY_BYTES.get(kind);
  return {
    kind,
    name,
    ...(leastAnswers !== undefined && isUsual && { leastAnswers }),
    send: distinct(wanted),
    ...(isUsual && { isUsual }),
  };
}

const DECODERS: readonly Decoder[] = [
  'url',
  'form',
  'json',
  'ndjson',
  'cloudevents',
  'alertmanager',
  'alerts',
  'annotations',
];
const LARGE = 4096;
const SMALL = 60;
/** `event.labelNameMax` less what makes them distinct. */
const NAME = 230;
const ID_BYTES = 240;
/** What is escaped takes two units: a series of four such values is 16,800 long, as one of four large ones is. V8 hashes texts beyond 16,383 by their length. */
const HALF = 2_108;
/** So many of them in one body took 95 s where each was compared to all others. */
const SQUARE = 3_500;

/** Kinds 1, 2, 3, 9 and 10: what is accepted, and differs from all that came before. */
export const DISTINCT: readonly Flood[] = [
  flood(1, 'large series', { decoder: 'gzip ndjson', encoding: 'cyrillic', bytes: LARGE }, true),
  ...(['ascii', 'latin1', 'emoji'] as const).map((encoding) =>
    flood(1, 'large series', { decoder: 'gzip ndjson', encoding, bytes: LARGE }),
  ),
  ...DECODERS.map((decoder) =>
    flood(1, 'large series', { decoder, encoding: 'cyrillic', bytes: decoder === 'url' ? LARGE / 2 : LARGE }),
  ),
  flood(1, 'middling series', { decoder: 'gzip ndjson', encoding: 'cyrillic', bytes: 700 }),
  flood(2, 'small series', { decoder: 'gzip ndjson', encoding: 'ascii', bytes: SMALL }, true),
  flood(2, 'small series', { decoder: 'ndjson', encoding: 'cyrillic', bytes: SMALL }),
  flood(2, 'small series', { decoder: 'json', encoding: 'emoji', bytes: SMALL }),
  flood(2, 'small series', { decoder: 'url', encoding: 'latin1', bytes: SMALL, clients: 32 }),
  flood(2, 'small series', { decoder: 'alerts', encoding: 'ascii', bytes: SMALL }),
  flood(3, 'ids', { decoder: 'gzip ndjson', encoding: 'ascii', bytes: ID_BYTES, shape: ID }, true),
  flood(3, 'ids', { decoder: 'json', encoding: 'cyrillic', bytes: ID_BYTES, shape: ID }),
  flood(3, 'ids', { decoder: 'form', encoding: 'ascii', bytes: ID_BYTES, shape: ID, clients: 32 }),
  flood(3, 'ids', { decoder: 'cloudevents', encoding: 'emoji', bytes: ID_BYTES, shape: ID }),
  flood(9, 'metrics', { decoder: 'gzip ndjson', encoding: 'ascii', bytes: NAME, shape: METRIC }, true),
  flood(9, 'label names', { decoder: 'gzip ndjson', encoding: 'ascii', bytes: NAME, shape: NAMES }, true),
  flood(9, 'types', { decoder: 'gzip ndjson', encoding: 'cyrillic', bytes: LARGE, shape: TYPE }, true),
  flood(9, 'types', { decoder: 'cloudevents', encoding: 'emoji', bytes: LARGE, shape: TYPE }),
  flood(9, 'types', { decoder: 'form', encoding: 'ascii', bytes: LARGE, shape: TYPE, clients: 32 }),
  flood(
    10,
    'one length',
    { decoder: 'gzip ndjson', encoding: 'ascii', bytes: LARGE, shape: FOUR, clients: 1, each: SQUARE },
    true,
  ),
  flood(10, 'one length', { decoder: 'json', encoding: 'latin1', bytes: LARGE, shape: FOUR, clients: 2 }),
  flood(
    10,
    'newlines',
    { decoder: 'gzip ndjson', encoding: 'newline', bytes: HALF, shape: FOUR, clients: 1, each: SQUARE },
    true,
  ),
  flood(10, 'backslashes', {
    decoder: 'ndjson',
    encoding: 'backslash',
    bytes: HALF,
    shape: FOUR,
    clients: 2,
  }),
];
