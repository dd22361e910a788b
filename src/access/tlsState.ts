import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { AccessFileError } from './error.ts';
import type { ClientAuth, Pem, TlsSection } from './tlsSection.ts';
import { CIPHERS } from './tlsSection.ts';

/** What new TLS connections get: Node's options, and what is asked of clients. */
export interface TlsState {
  readonly context: SecureContextOptions & {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
  };
  readonly clientAuth: ClientAuth;
  readonly allowedSans: readonly string[] | undefined;
}

/** Reads a whole file as text. Throws what the system throws, or an Error for one that is too long. */
export type ReadText = (path: string) => Promise<string>;

/** TLS 1.3's own suites. Neither Go nor the configuration chooses among them. */
const SUITES_OF_13 = Object.keys(CIPHERS).filter((name) => CIPHERS[name] === name);
/** Where none are named: those that Go calls secure, all with forward secrecy. */
const DEFAULT_CIPHERS = Object.values(CIPHERS).filter((name) => !SUITES_OF_13.includes(name));

/** Reads the certificates and keys that a section names, and makes sure that they can be used. Throws an AccessFileError. */
export async function loadTls(place: string, section: TlsSection, read: ReadText): Promise<TlsState> {
  const cert = await pemText(place, section.cert, read);
  const key = await pemText(place, section.key, read);
  const ca = section.clientCa && (await pemText(place, section.clientCa, read));
  if (section.clientCa !== undefined && ca !== undefined) checkCertificate(place, section.clientCa.key, ca);
  checkCertificate(place, section.cert.key, cert);
  const context: TlsState['context'] = {
    cert,
    key,
    // Without it clients are checked against the well-known authorities, as in the exporters.
    ...(ca !== undefined && { ca }),
    minVersion: section.minVersion,
    maxVersion: section.maxVersion,
    ciphers: ciphersOf(section),
    honorCipherOrder: section.preferServerCiphers,
    ecdhCurve: section.curves.length === 0 ? 'auto' : section.curves.join(':'),
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    // OpenSSL's reasons name what is wrong with a key, and never quote it.
    const why = (cause as { reason?: string }).reason ?? 'they are not valid PEM';
    throw new AccessFileError(
      `${place}: ${section.cert.key} and ${section.key.key} can't be used: ${why}; check that the key belongs to the certificate`,
    );
  }
  return { context, clientAuth: section.clientAuth, allowedSans: section.allowedSans };
}

function ciphersOf({ ciphers, minVersion }: TlsSection): string {
  const all = [...new Set([...SUITES_OF_13, ...(ciphers.length === 0 ? DEFAULT_CIPHERS : ciphers)])];
  // OpenSSL takes TLS 1.0 and 1.1 at its lowest level of security only.
  return minVersion === 'TLSv1' || minVersion === 'TLSv1.1'
    ? [...all, '@SECLEVEL=0'].join(':')
    : all.join(':');
}

async function pemText(place: string, pem: Pem, read: ReadText): Promise<string> {
  if (pem.kind === 'inline') return pem.text;
  try {
    return await read(pem.path);
  } catch (cause) {
    throw new AccessFileError(
      `${place}: can't read ${pem.key} ${pem.path}: ${(cause as Error).message}; relative paths start at the configuration's folder`,
    );
  }
}

function checkCertificate(place: string, key: string, pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new AccessFileError(
      `${place}: ${key} has no PEM certificate; one begins with -----BEGIN CERTIFICATE-----`,
    );
  }
}
