import { dirname } from 'node:path';
import type { BucketRule } from '../core/tokenBucket.ts';
import { AccessFileError } from './error.ts';
import { shown } from '../core/errors.ts';
import { parseGoDuration } from './goDuration.ts';
import type { TlsSection } from './tlsSection.ts';
import { TLS_KEYS, readTlsSection } from './tlsSection.ts';
import { Section, readYaml } from './yamlReader.ts';

/** A file in the format that Prometheus' exporters share. */
export interface WebConfig {
  readonly tls: TlsSection | undefined;
  /** Headers for every response. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Hashes of passwords by the users' names. */
  readonly users: ReadonlyMap<string, string>;
  /** A limit for all requests together. */
  readonly rate: BucketRule | undefined;
}

/** The headers that may be set, and the values that one may have where not any will do. */
const HEADERS: Record<string, readonly string[] | undefined> = {
  'Strict-Transport-Security': undefined,
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': undefined,
  'Content-Security-Policy': undefined,
};

/** What HTTP takes as a header's value. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** bcrypt's own text: version, cost, then 22 characters of salt and 31 of hash. */
const BCRYPT = /^\$2[aby]?\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** How many users one file may name; the format says to use something else for many. */
const USERS_MAX = 1_000;

/**
 * Reads a file in the format of https://github.com/prometheus/exporter-toolkit/blob/v0.17.1/docs/web-configuration.md, so that one file
 * serves this server and the exporters. What they refuse is refused: unknown keys, unknown names, half a certificate.
 * Throws an AccessFileError.
 */
export function readWebConfig(path: string, text: string): WebConfig {
  const root = Section.whole(path, readYaml(path, text), [
    'tls_server_config',
    'http_server_config',
    'rate_limit',
    'basic_auth_users',
  ]);
  const tls = root.section('tls_server_config', TLS_KEYS);
  const http = root.section('http_server_config', ['http2', 'headers']);
  // Read for its kind only: HTTP/2 is not offered here, see docs/operate/security.md.
  http?.boolean('http2');
  return {
    tls: tls && readTlsSection(`${path}: tls_server_config`, tls, dirname(path)),
    headers: readHeaders(path, http?.section('headers')),
    users: readUsers(path, root.section('basic_auth_users')),
    rate: readRate(path, root.section('rate_limit', ['interval', 'burst'])),
  };
}

function readHeaders(path: string, section: Section | undefined): WebConfig['headers'] {
  const headers = (section?.keys() ?? []).map((name): readonly [string, string] => {
    if (!Object.hasOwn(HEADERS, name)) {
      throw new AccessFileError(
        `${path}: the header at line ${section?.lineOf(name)} can't be set; you can set ${Object.keys(HEADERS).join(', ')}`,
      );
    }
    const value = section?.text(name) ?? '';
    const allowed = HEADERS[name];
    if (allowed?.includes(value) === false) {
      throw new AccessFileError(
        `${path}: the header ${name} must be ${allowed.join(' or ')}, not ${shown(value)}`,
      );
    }
    if (!HEADER_VALUE.test(value))
      throw new AccessFileError(`${path}: the header ${name} contains characters that HTTP doesn't allow`);
    return [name, value];
  });
  return headers.filter(([, value]) => value !== '');
}

function readUsers(path: string, section: Section | undefined): WebConfig['users'] {
  const names = section?.keys() ?? [];
  if (names.length > USERS_MAX)
    throw new AccessFileError(`${path}: basic_auth_users has more than ${USERS_MAX} users; remove some`);
  return new Map(
    names.map((name) => {
      const hash = section?.text(name) ?? '';
      if (BCRYPT.test(hash)) return [name, hash];
      throw new AccessFileError(
        `${path}: basic_auth_users: line ${section?.lineOf(name)} is not a bcrypt hash of a password; create one with htpasswd -nBC 10 ""`,
      );
    }),
  );
}

function readRate(path: string, section: Section | undefined): BucketRule | undefined {
  const text = section?.text('interval') ?? '0';
  const intervalMs = parseGoDuration(text);
  if (intervalMs === undefined)
    throw new AccessFileError(
      `${path}: rate_limit: interval ${shown(text)} is not a duration; write 100ms, or 0 for no limit`,
    );
  const burst = Math.max(0, section?.integer('burst') ?? 0);
  return intervalMs > 0 ? { intervalMs, burst } : undefined;
}
