import { createHash } from 'node:crypto';
import { ConfigError } from '../config/error.ts';
import type { JsonObject } from '../config/json.ts';
import { isJsonObject } from '../config/json.ts';
import type { ValueType } from '../config/valueTypes.ts';
import { boolean, integer, oneOf } from '../config/valueTypes.ts';
import { DAY, HOUR, SECOND, duration } from '../config/quantities.ts';
import type { Settings } from '../config/settings.ts';
import { shown } from '../core/errors.ts';
import { isLegacyLabelName } from '../core/labels.ts';
import { nearest } from '../core/nearest.ts';
import type {
  Credentials,
  OwnMetricsOptions,
  SelectOptions,
  SinkOptions,
  SinkTls,
} from '../sinks/options.ts';
import { SelectorError, readSelector } from '../sinks/selector.ts';

const SINKS_MAX = 20;
/** So that it can stand in an id, a label and a log line as it is. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** What may stand in a header's value, https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]{1,8192}$/;
const LABELS_MAX = 20;
const LABEL_UNITS_MAX = 1_023;
const SELECTORS_MAX = 100;
const SELECTOR_UNITS_MAX = 2_000;
/** Of the hash of a selection, which tells it from an earlier one of the same sink. */
const KEY_UNITS = 16;

/** The protocol's own, and those of HTTP that would break a request. */
const RESERVED = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-prometheus-remote-write-version',
]);

const MEMBERS = [
  'url',
  'protocol',
  'headers',
  'basicAuth',
  'bearerToken',
  'bearerTokenFile',
  'tls',
  'timeout',
  'labels',
  'ageMax',
  'eventsMax',
  'select',
  'ownMetrics',
] as const;
const OWN_METRICS_MEMBERS = ['interval', 'labels'] as const;
const TLS_MEMBERS = ['caFile', 'certFile', 'keyFile', 'serverName', 'insecureSkipVerify'] as const;

/** A name of a member, mistyped. What has digits, or is longer, may be a secret in the wrong place. */
const MAY_BE_SHOWN = /^[A-Za-z_-]{1,30}$/;

const PROTOCOL = oneOf(['auto', 'remote-write-2', 'remote-write-1']);
const TIMEOUT = duration({ min: 100, max: HOUR });
const AGE_MAX = duration({ min: SECOND, max: 365 * DAY });
const TIMEOUT_MS = 30 * SECOND;
const OWN_INTERVAL = duration({ min: SECOND, max: HOUR });
const OWN_INTERVAL_MS = 30 * SECOND;
const EVENTS_MAX = 5_000;

/** The sinks of the setting `sinks`, whose secrets are read. Throws a ConfigError that names the place and shows no secret. */
export function sinkOptions(settings: Settings): readonly SinkOptions[] {
  const names = Object.keys(settings.sinks);
  if (names.length > SINKS_MAX)
    throw new ConfigError(`sinks has ${names.length} entries; the limit is ${SINKS_MAX}, so remove some`);
  const most = settings['scrapers.max'];
  if (names.length + settings['scrapers.known'].length > most)
    throw new ConfigError(
      `sinks and scrapers.known list more than scrapers.max (${most}) together; raise it, or list fewer`,
    );
  return names.map((name) => readSink(name, settings.sinks[name], settings));
}

function readSink(name: string, raw: unknown, settings: Settings): SinkOptions {
  const field = `sinks.${name}`;
  if (!NAME.test(name))
    throw new ConfigError(
      `sinks ${shown(name)} is not a valid sink name; use up to 63 of a-z, 0-9, - and _, and don't begin with - or _`,
    );
  const sink = membersOf(field, raw, MEMBERS);
  const url = urlOf(`${field}.url`, sink['url']);
  const credentials = credentialsOf(field, sink);
  const headers = headersOf(`${field}.headers`, sink['headers']);
  if (credentials !== undefined && headers['authorization'] !== undefined)
    throw new ConfigError(`${field} has an Authorization header and other credentials; keep one of them`);
  return {
    name,
    url,
    credentials,
    headers,
    protocol: valueOf(`${field}.protocol`, PROTOCOL, sink['protocol'], 'auto'),
    tls: tlsOf(`${field}.tls`, sink['tls'], url),
    timeoutMs: valueOf(`${field}.timeout`, TIMEOUT, sink['timeout'], TIMEOUT_MS),
    labels: labelsOf(`${field}.labels`, sink['labels']),
    ageMaxMs: valueOf(`${field}.ageMax`, AGE_MAX, sink['ageMax'], settings['event.ageMax']),
    eventsMax: valueOf(`${field}.eventsMax`, integer(1, 1_000_000), sink['eventsMax'], EVENTS_MAX),
    select: selectOf(`${field}.select`, sink['select']),
    ownMetrics: ownMetricsOf(`${field}.ownMetrics`, sink['ownMetrics']),
  };
}

/** An object with known members only. What is wrong isn't shown: it may be a secret in the wrong place. */
function membersOf(field: string, raw: unknown, known: readonly string[]): JsonObject {
  if (!isJsonObject(raw))
    throw new ConfigError(`${field} must be an object; the value isn't shown because it may be a secret`);
  const unknown = Object.keys(raw).find((name) => !known.includes(name));
  if (unknown === undefined) return raw;
  const near = nearest(unknown, known);
  const named = MAY_BE_SHOWN.test(unknown) ? ` ${unknown}` : '';
  throw new ConfigError(
    `${field} has an unknown member${named}${near === undefined ? '' : ` (did you mean ${near}?)`}; it can have ${known.join(', ')}`,
  );
}

function valueOf<T>(field: string, type: ValueType<T>, raw: unknown, fallback: T): T {
  if (raw === undefined) return fallback;
  try {
    return type.parse(raw);
  } catch (cause) {
    throw new ConfigError(`${field} ${(cause as Error).message}`, { cause });
  }
}

function urlOf(field: string, raw: unknown): URL {
  if (raw === undefined)
    throw new ConfigError(
      `${field} is missing; set it to where to push to, for example http://prometheus:9090/api/v1/write`,
    );
  const url = typeof raw === 'string' ? URL.parse(raw) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new ConfigError(
      `${field} must be an http or https URL, for example http://prometheus:9090/api/v1/write; its value isn't shown because it may contain a secret`,
    );
  if (url.username !== '' || url.password !== '')
    throw new ConfigError(`${field} contains a user or a password; use basicAuth instead`);
  url.hash = '';
  return url;
}

function credentialsOf(field: string, sink: JsonObject): Credentials | undefined {
  const { basicAuth, bearerToken, bearerTokenFile } = sink;
  if ([basicAuth, bearerToken, bearerTokenFile].filter((each) => each !== undefined).length > 1)
    throw new ConfigError(
      `${field} has several of basicAuth, bearerToken and bearerTokenFile; keep one of them`,
    );
  if (basicAuth !== undefined) {
    const { username, password } = membersOf(`${field}.basicAuth`, basicAuth, ['username', 'password']);
    return {
      kind: 'basic',
      username: secretOf(`${field}.basicAuth.username`, username),
      password: secretOf(`${field}.basicAuth.password`, password),
    };
  }
  if (bearerToken !== undefined) {
    const token = secretOf(`${field}.bearerToken`, bearerToken);
    if (!HEADER_VALUE.test(token))
      throw new ConfigError(
        `${field}.bearerToken has characters that can't be in a header; its value isn't shown because it is a secret`,
      );
    return { kind: 'bearer', token };
  }
  return bearerTokenFile === undefined
    ? undefined
    : { kind: 'bearerFile', path: textOf(`${field}.bearerTokenFile`, bearerTokenFile) };
}

/** Never shown, not even where it is wrong. */
function secretOf(field: string, raw: unknown): string {
  if (typeof raw === 'string' && raw !== '') return raw;
  throw new ConfigError(
    `${field} must be a non-empty string, or {"env": "NAME"}, or {"file": "path"}; its value isn't shown because it is a secret`,
  );
}

function textOf(field: string, raw: unknown): string {
  if (typeof raw === 'string' && raw !== '') return raw;
  throw new ConfigError(
    `${field} must be a non-empty string; the value isn't shown because it may be a secret`,
  );
}

function headersOf(field: string, raw: unknown): Readonly<Record<string, string>> {
  if (raw === undefined) return {};
  if (!isJsonObject(raw))
    throw new ConfigError(
      `${field} must be an object of headers; the value isn't shown because it may be a secret`,
    );
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (!HEADER_NAME.test(name))
      throw new ConfigError(
        `${field} has a name that is no header's; use letters, digits and -, such as X-Scope-OrgID`,
      );
    const lower = name.toLowerCase();
    if (RESERVED.has(lower)) throw new ConfigError(`${field}.${name} is set by the server itself; remove it`);
    if (Object.hasOwn(headers, lower))
      throw new ConfigError(`${field}.${name} is there twice; keep one of them`);
    if (typeof value !== 'string' || !HEADER_VALUE.test(value))
      throw new ConfigError(
        `${field}.${name} must be a string that can be in a header, or {"env": "NAME"}, or {"file": "path"}; its value isn't shown because it may be a secret`,
      );
    headers[lower] = value;
  }
  return headers;
}

function tlsOf(field: string, raw: unknown, url: URL): SinkTls {
  const tls = raw === undefined ? {} : membersOf(field, raw, TLS_MEMBERS);
  if (raw !== undefined && url.protocol !== 'https:')
    throw new ConfigError(
      `${field} has no effect, because the url is not https; remove it, or correct the url`,
    );
  const optional = (name: string) =>
    tls[name] === undefined ? undefined : textOf(`${field}.${name}`, tls[name]);
  const [caFile, certFile, keyFile, serverName] = ['caFile', 'certFile', 'keyFile', 'serverName'].map(
    optional,
  );
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new ConfigError(`${field} has only one of certFile and keyFile; set both`);
  return {
    caFile,
    certFile,
    keyFile,
    serverName,
    insecureSkipVerify: valueOf(`${field}.insecureSkipVerify`, boolean(), tls['insecureSkipVerify'], false),
  };
}

/** Selectors, of which one must match. Their regular expressions are not compiled here. */
function selectOf(field: string, raw: unknown): SelectOptions | undefined {
  if (raw === undefined) return undefined;
  if (!Array.isArray(raw) || raw.length === 0 || raw.some((each) => typeof each !== 'string'))
    throw new ConfigError(
      `${field} must be a list of series selectors, such as ["deploys", "{type='deploy'}"]; leave it out to select everything`,
    );
  const texts = raw as readonly string[];
  if (texts.length > SELECTORS_MAX)
    throw new ConfigError(
      `${field} has ${texts.length} selectors; the limit is ${SELECTORS_MAX}, so remove some`,
    );
  const selectors = texts.map((text, index) => {
    if (text.length > SELECTOR_UNITS_MAX)
      throw new ConfigError(
        `${field}[${index}] has ${text.length} characters; the limit is ${SELECTOR_UNITS_MAX}`,
      );
    try {
      return readSelector(text);
    } catch (cause) {
      if (!(cause instanceof SelectorError)) throw cause;
      throw new ConfigError(`${field}[${index}] ${cause.message}`, { cause });
    }
  });
  const key = createHash('sha256').update(JSON.stringify(texts)).digest('base64url').slice(0, KEY_UNITS);
  return { key, texts, selectors };
}

function ownMetricsOf(field: string, raw: unknown): OwnMetricsOptions | undefined {
  if (raw === undefined || raw === false) return undefined;
  if (raw !== true && !isJsonObject(raw))
    throw new ConfigError(`${field} must be true, false, or an object, such as {"interval": "30s"}`);
  const { interval, labels } = raw === true ? {} : membersOf(field, raw, OWN_METRICS_MEMBERS);
  return {
    intervalMs: valueOf(`${field}.interval`, OWN_INTERVAL, interval, OWN_INTERVAL_MS),
    labels: labelsOf(`${field}.labels`, labels),
  };
}

function labelsOf(field: string, raw: unknown): Readonly<Record<string, string>> {
  if (raw === undefined) return {};
  if (!isJsonObject(raw))
    throw new ConfigError(`${field} must be an object of labels, such as {"cluster": "a"}`);
  const labels = Object.entries(raw);
  if (labels.length > LABELS_MAX)
    throw new ConfigError(`${field} has ${labels.length} labels; the limit is ${LABELS_MAX}, so remove some`);
  for (const [name, value] of labels) {
    if (!isLegacyLabelName(name) || name.startsWith('__'))
      throw new ConfigError(
        `${field} ${shown(name)} is not a valid label name; use only letters, digits and _, and don't begin with a digit or __`,
      );
    if (typeof value !== 'string' || value === '' || value.length > LABEL_UNITS_MAX || !value.isWellFormed())
      throw new ConfigError(`${field}.${name} must be a string of 1 to ${LABEL_UNITS_MAX} characters`);
  }
  return Object.fromEntries(labels) as Record<string, string>;
}
