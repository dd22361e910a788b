import { Buffer } from 'node:buffer';
import { AccessFileError } from '../../src/access/error.ts';
import { TokenTable } from '../../src/access/tokensFile.ts';
import { readWebConfig } from '../../src/access/webConfig.ts';
import type { Draft, DraftFields, Read } from '../../src/intake/draft.ts';
import { PARAMETERS, draftFromPairs } from '../../src/intake/draft.ts';
import { RefusedError } from '../../src/core/errors.ts';
import type { Event } from '../../src/intake/event.ts';
import type { EventRules } from '../../src/intake/rules.ts';
import { eventFromDraft } from '../../src/intake/eventFromDraft.ts';
import { millis } from '../../src/core/millis.ts';
import { parseTimestamp } from '../../src/core/timestamp.ts';
import { formatSampleValue, parseSampleValue } from '../../src/core/value.ts';
import { CLOUD_EVENT_FIELDS, readBinaryCloudEvent, readCloudEvents } from '../../src/read/cloudEvents.ts';
import type { DataMapping } from '../../src/read/dataMapping.ts';
import { mapData, parseDataMapping } from '../../src/read/dataMapping.ts';
import { parseForm } from '../../src/read/form.ts';
import { parseJson } from '../../src/read/json.ts';
import { JSON_FIELDS, readJsonEvents } from '../../src/read/jsonEvents.ts';
import { PRESETS } from '../../src/read/webhooks/senders/senders.ts';
import { tryWebhook } from '../../src/read/webhooks/tryWebhook.ts';
import { readWebhooks } from '../../src/read/webhooks/webhooks.ts';
import { readNdjson } from '../../src/read/ndjson.ts';
import { PlainReader } from '../../src/read/plainReader.ts';
import { parseSamples } from '../support/strictParser.ts';
import { WEBHOOKS } from './rows/webhooks.ts';
import { WIDE_LIMITS } from '../support/rules.ts';

/** A decoder of what comes from outside. */
export interface Decoder {
  readonly name: string;
  /** What it takes, to be spoilt. */
  readonly good: readonly string[];
  /** The only error that it may throw. */
  readonly error: abstract new (...args: never[]) => Error;
  /** Decodes, checks what came out, and says how many things that were. */
  readonly decode: (bytes: Buffer) => number | Promise<number>;
}

const RULES: EventRules = {
  metric: 'events_to_metrics',
  names: 'legacy',
  limits: WIDE_LIMITS,
  reserved: () => false,
};
const EVENTS_MAX = 1000;
/** As in a server, one for all bodies. */
const PLAIN = new PlainReader();
const NOW = millis(Date.UTC(2026, 10, 24, 12));
const MAPPINGS = ['env=/env', 'value=/seconds', 'n=/a/0/b~1c'].map(
  (text) => parseDataMapping(text) as DataMapping,
);

/** What an event must be, wherever it came from: a sample that a scrape can show. */
function checkEvent({ series, value, sent, id }: Event): void {
  const [sample, ...more] = parseSamples(`${series} ${formatSampleValue(value)}\n`);
  if (sample === undefined || more.length > 0) throw new Error(`no sample of its own: ${series}`);
  if (sent !== undefined && !Number.isSafeInteger(sent)) throw new Error(`no time: ${String(sent)}`);
  if (id === '') throw new Error('an empty id');
}

function checkDraft(draft: Draft, fields: DraftFields): number {
  checkEvent(eventFromDraft(draft, RULES, fields));
  return 1;
}

/** As a batch with `partial=true` goes on behind what is refused. */
function checkReads(reads: Iterable<Read>, fields: DraftFields): number {
  let count = 0;
  for (const read of reads) {
    count += 1;
    if (read instanceof RefusedError) continue;
    try {
      checkDraft(read, fields);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }
  return count;
}

const CLOUD =
  '{"specversion":"1.0","type":"t","source":"/s","id":"1","time":"2026-11-24T12:00:00Z","data":{"env":"prod","seconds":2,"a":[{"b/c":1}]}}';
const BASE64 = '{"specversion":"1.0","type":"t","source":"/s","id":"1","data_base64":"eyJlbnYiOiJ4In0="}';
const EVENT =
  '{"name":"deploys","labels":{"a":"x\\u00e9","n":1.50,"ok":true},"value":"+Inf","timestamp":1795521570.5,"id":"i-1"}';

const FORMATS: readonly Decoder[] = [
  {
    name: 'a query of a URL',
    good: ['a=1&b+c=%C3%BC&value=2.5&__name__=m&__timestamp__=1795521570&__id__=x'],
    error: RefusedError,
    decode: (bytes) =>
      checkDraft(draftFromPairs(parseForm('url', bytes.toString('latin1'), 130)), PARAMETERS),
  },
  {
    name: 'a form',
    good: ['a=1&b+c=%C3%BC&value=NaN&__name__=m&__timestamp__=2026-11-24T12:00:00Z&__id__=x'],
    error: RefusedError,
    decode: (bytes) => checkDraft(draftFromPairs(parseForm('body', bytes, 130)), PARAMETERS),
  },
  {
    name: 'JSON events',
    good: [EVENT, `[${EVENT},{},{"labels":{}}]`],
    error: RefusedError,
    decode: (bytes) => checkReads(readJsonEvents(bytes, PLAIN).reads, JSON_FIELDS),
  },
  {
    name: 'NDJSON',
    good: [`${EVENT}\n\n{}\r\n{"value":-0}\n`],
    error: RefusedError,
    decode: async (bytes) => {
      const reads: Read[] = [];
      const limits = { lineBytesMax: 1024 * 1024, bytesMax: 64 * 1024 * 1024 };
      for await (const some of readNdjson(inChunks(bytes), limits, PLAIN)) reads.push(...some);
      return checkReads(reads, JSON_FIELDS);
    },
  },
  {
    name: 'a CloudEvent',
    good: [CLOUD, BASE64],
    error: RefusedError,
    decode: (bytes) => checkReads(readCloudEvents(bytes, false, MAPPINGS).reads, CLOUD_EVENT_FIELDS),
  },
  {
    name: 'a batch of CloudEvents',
    good: [`[${CLOUD},${BASE64}]`],
    error: RefusedError,
    decode: (bytes) => checkReads(readCloudEvents(bytes, true, MAPPINGS).reads, CLOUD_EVENT_FIELDS),
  },
  {
    name: 'a CloudEvent in headers',
    good: ['1.0\n1\n/s\nt\n"sub%20ject"\n2026-11-24T12:00:00Z\n{"env":"x"}'],
    error: RefusedError,
    decode: (bytes) => {
      const [specversion, id, source, type, subject, time, ...body] = bytes.toString('latin1').split('\n');
      const given: Record<string, string | undefined> = { specversion, id, source, type, subject, time };
      const data = Buffer.from(body.join('\n'), 'latin1');
      return checkDraft(
        readBinaryCloudEvent((name) => given[name], 'application/json', data, MAPPINGS),
        CLOUD_EVENT_FIELDS,
      );
    },
  },
];

const BODIES: Readonly<Record<string, readonly string[]>> = {
  prometheus: [
    '[{"labels":{"alertname":"a","x":"y"},"startsAt":"2026-11-24T11:50:00.123Z","endsAt":"2026-11-24T11:58:00Z"}]',
  ],
  alertmanager: [
    '{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"a"},"startsAt":"2026-11-24T11:50:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"c5a1"}]}',
  ],
  github: ['{"ref":"refs/heads/main","repository":{"full_name":"acme/shop","pushed_at":1795521570}}'],
  gitlab: [
    '{"object_kind":"deployment","status":"success","status_changed_at":"2026-11-24 13:50:00 +0200","environment":"staging","environment_tier":"staging","project":{"path_with_namespace":"acme/shop"}}',
  ],
  argocd: [
    '{"app":{"metadata":{"name":"shop"},"status":{"reconciledAt":"2026-11-24T11:59:10Z","sync":{"revision":"9f1c2b7e4d3a5968c0b1e2f3a4d5c6b7a8091a2b"}}}}',
  ],
  flux: [
    '{"involvedObject":{"kind":"Kustomization","namespace":"apps","name":"shop"},"severity":"info","reason":"R","timestamp":"2026-11-24T11:56:19Z","metadata":{"revision":"main@sha1:9f1c2b7e4d3a5968c0b1e2f3a4d5c6b7a8091a2b"}}',
  ],
  grafana: ['{"time":1795521570123,"tags":["deploy","service:shop"],"text":"Deployed\\n1.4.0"}'],
  graphite: ['{"what":"Deployed","tags":"deploy env:prod","when":1795521570}'],
  batches: ['{"items":[{"name":"a","tags":{"x y":"1","1":true}},{}]}'],
};

const HEADERS = { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': '72d3162e' };

const webhook = (name: string): Decoder => ({
  name: `the webhook ${name}`,
  good: BODIES[name] ?? [],
  error: RefusedError,
  decode: (body) => {
    const settings = { batches: WEBHOOKS.batches };
    const rules = { rules: RULES, eventsMax: EVENTS_MAX };
    const { events, ignored, refused } = tryWebhook(name, settings, { body, headers: HEADERS }, rules, NOW);
    for (const event of events) checkEvent(event);
    return events.length + ignored + refused.length;
  },
});

const HASH = '$2y$04$rqbJO1tzD9AftLDCPviC1exa9vm5eqJeDLrQrWXnX5Q7jQ9vURRMy';

const SETTINGS: readonly Decoder[] = [
  {
    name: 'a web configuration',
    good: [
      `basic_auth_users:\n  alice: ${HASH}\nhttp_server_config:\n  http2: false\n  headers: &h\n    X-Frame-Options: deny\nrate_limit: {interval: 1s, burst: 5}\n`,
      'tls_server_config:\n  cert_file: a\n  key_file: b\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: c\n  min_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n',
    ],
    error: AccessFileError,
    decode: (bytes) => readWebConfig('web.yml', bytes.toString()).users.size + 1,
  },
  {
    name: 'a file of tokens',
    good: [
      `- name: ci\n  scopes: [write, scrape]\n  hash: sha256:${'0a'.repeat(32)}\n- {name: b, scopes: [admin], hash: "sha256:${'1b'.repeat(32)}"}\n`,
    ],
    error: AccessFileError,
    decode: (bytes) => (TokenTable.read('tokens.yml', bytes.toString()).find('x') === undefined ? 1 : 0),
  },
  {
    name: 'the setting webhooks',
    good: [
      JSON.stringify(WEBHOOKS),
      JSON.stringify({ github: { secret: 's', only: ['push'], drop: ['ref'], labels: { a: '/b' } } }),
    ],
    error: RefusedError,
    decode: (bytes) => {
      const settings = plainObject(bytes.toString());
      return settings === undefined ? 0 : readWebhooks(settings, RULES).length;
    },
  },
  {
    name: 'a mapping of data',
    good: ['env=/data/a/0/b~1c', 'value=/data/seconds'],
    error: RefusedError,
    decode: (bytes) => {
      const mapping = parseDataMapping(bytes.toString());
      return mapping === undefined ? 0 : mapData(parseJson(CLOUD), [mapping]).length;
    },
  },
  {
    name: 'a time',
    good: ['2026-11-24T12:00:00.123+02:00', '1795521570.123456789', '1795521570123'],
    error: RefusedError,
    decode: (bytes) => (Number.isSafeInteger(parseTimestamp('time', bytes.toString())) ? 1 : Number.NaN),
  },
  {
    name: 'a value',
    good: ['-12.5e+3', '+Infinity', 'nan', '.5', '5.'],
    error: RefusedError,
    decode: (bytes) => (typeof parseSampleValue('value', bytes.toString()) === 'number' ? 1 : Number.NaN),
  },
];

/** Every decoder that there is. */
export const DECODERS: readonly Decoder[] = [
  ...FORMATS,
  ...[...PRESETS.map(({ name }) => name), 'batches'].map(webhook),
  ...SETTINGS,
];

/** As config.json is read: only JSON comes that far. */
function plainObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}

async function* inChunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  const size = Math.max(7, bytes.length >> 6);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
