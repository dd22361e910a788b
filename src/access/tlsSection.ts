import { isAbsolute, join } from 'node:path';
import { AccessFileError } from './error.ts';
import { shown } from '../core/errors.ts';
import type { Section } from './yamlReader.ts';

/** PEM, in a file or in the configuration itself. */
export type Pem =
  | { readonly kind: 'file'; readonly key: string; readonly path: string }
  | { readonly kind: 'inline'; readonly key: string; readonly text: string };

/** What is asked of clients. Source: https://pkg.go.dev/crypto/tls#ClientAuthType */
export type ClientAuth = 'none' | 'request' | 'requireAny' | 'verifyIfGiven' | 'requireAndVerify';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** The section `tls_server_config`, checked as far as that goes without reading what it names. */
export interface TlsSection {
  readonly cert: Pem;
  readonly key: Pem;
  readonly clientCa: Pem | undefined;
  readonly clientAuth: ClientAuth;
  /** A client's certificate must have one of these names; undefined where any will do. */
  readonly allowedSans: readonly string[] | undefined;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's names, for TLS up to 1.2; empty for the default. */
  readonly ciphers: readonly string[];
  /** OpenSSL's names; empty for the default. */
  readonly curves: readonly string[];
  readonly preferServerCiphers: boolean;
}

export const TLS_KEYS = [
  'cert',
  'key',
  'client_ca',
  'cert_file',
  'key_file',
  'client_auth_type',
  'client_ca_file',
  'client_allowed_sans',
  'min_version',
  'max_version',
  'cipher_suites',
  'prefer_server_cipher_suites',
  'curve_preferences',
] as const;

const CLIENT_AUTHS: Record<string, ClientAuth> = {
  NoClientCert: 'none',
  RequestClientCert: 'request',
  RequireAnyClientCert: 'requireAny',
  RequireClientCert: 'requireAny',
  VerifyClientCertIfGiven: 'verifyIfGiven',
  RequireAndVerifyClientCert: 'requireAndVerify',
};

const VERSIONS: Record<string, TlsVersion> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** The names that Go calls secure, and OpenSSL's for the same. Source: https://pkg.go.dev/crypto/tls#CipherSuites */
export const CIPHERS: Record<string, string> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
};

const CURVES: Record<string, string> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};

/**
 * Reads `tls_server_config`; undefined where it asks for no TLS. Relative paths are relative to `folder`.
 * Throws an AccessFileError for what the exporters refuse, too.
 */
export function readTlsSection(place: string, section: Section, folder: string): TlsSection | undefined {
  const cert = pemOf(section, 'cert', folder);
  const key = pemOf(section, 'key', folder);
  const clientCa = pemOf(section, 'client_ca', folder);
  const clientAuthName = section.text('client_auth_type') ?? '';
  const rest = {
    allowedSans: section.texts('client_allowed_sans'),
    minVersion: named(place, section, 'min_version', VERSIONS) ?? 'TLSv1.2',
    maxVersion: named(place, section, 'max_version', VERSIONS) ?? 'TLSv1.3',
    ciphers: allNamed(place, section, 'cipher_suites', CIPHERS),
    curves: allNamed(place, section, 'curve_preferences', CURVES),
    preferServerCiphers: section.boolean('prefer_server_cipher_suites') ?? true,
  };
  if (cert === undefined && key === undefined && clientCa === undefined && clientAuthName === '')
    return undefined;
  if (cert === undefined) throw new AccessFileError(`${place}: missing one of cert or cert_file`);
  if (key === undefined) throw new AccessFileError(`${place}: missing one of key or key_file`);
  const clientAuth =
    clientAuthName === '' ? 'none' : found(place, 'client_auth_type', clientAuthName, CLIENT_AUTHS);
  if (clientCa !== undefined && clientAuth === 'none') {
    throw new AccessFileError(
      `${place}: client_ca is set, but client_auth_type requires no certificate; set it to RequireAndVerifyClientCert`,
    );
  }
  if (rest.minVersion > rest.maxVersion)
    throw new AccessFileError(`${place}: min_version is above max_version; no client could connect`);
  return { cert, key, clientCa, clientAuth, ...rest };
}

/** The file wins where both are given, as in the exporters. */
function pemOf(section: Section, key: string, folder: string): Pem | undefined {
  const path = section.text(`${key}_file`) ?? '';
  if (path !== '')
    return { kind: 'file', key: `${key}_file`, path: isAbsolute(path) ? path : join(folder, path) };
  const text = section.text(key) ?? '';
  return text === '' ? undefined : { kind: 'inline', key, text };
}

function named<T>(
  place: string,
  section: Section,
  key: string,
  table: Readonly<Record<string, T>>,
): T | undefined {
  const name = section.text(key);
  return name === undefined ? undefined : found(place, key, name, table);
}

function allNamed(
  place: string,
  section: Section,
  key: string,
  table: Readonly<Record<string, string>>,
): readonly string[] {
  return (section.texts(key) ?? []).map((name) => found(place, key, name, table));
}

function found<T>(place: string, key: string, name: string, table: Readonly<Record<string, T>>): T {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  if (value !== undefined) return value;
  throw new AccessFileError(
    `${place}: unknown ${key} ${shown(name)}; use one of ${Object.keys(table).join(', ')}`,
  );
}
