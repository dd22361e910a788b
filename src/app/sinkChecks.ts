import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readText } from '../access/readText.ts';
import { ConfigError } from '../config/error.ts';
import type { Settings } from '../config/settings.ts';
import { shown } from '../core/errors.ts';
import type { SinkOptions, SinkTls } from '../sinks/options.ts';
import { sinkOptions } from './sinkOptions.ts';
import { selectOf } from './sinks.ts';

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * Looks for what would keep sinks from ever sending: expressions that can't be used, files that are missing, or aren't what they should be. They are read again when
 * they are used. Throws a ConfigError.
 */
export async function checkSinks(settings: Settings): Promise<void> {
  for (const options of sinkOptions(settings)) {
    await selectOf(options);
    await checkToken(options);
    await checkTls(`sinks.${options.name}.tls`, options.tls);
  }
}

async function checkToken({ name, credentials }: SinkOptions): Promise<void> {
  if (credentials?.kind !== 'bearerFile') return;
  const field = `sinks.${name}.bearerTokenFile`;
  const token = (await read(field, credentials.path)).trim();
  if (token === '')
    throw new ConfigError(`${field}: ${shown(credentials.path)} is empty; put the token there`);
  if (!/^[\x20-\x7e\x80-\xff]+$/.test(token))
    throw new ConfigError(
      `${field}: ${shown(credentials.path)} has more than a token, such as a line break in it; put only the token there`,
    );
}

async function checkTls(field: string, { caFile, certFile, keyFile }: SinkTls): Promise<void> {
  if (caFile !== undefined) await certificates(`${field}.caFile`, caFile);
  if (certFile === undefined || keyFile === undefined) return;
  const cert = await certificates(`${field}.certFile`, certFile);
  const key = await read(`${field}.keyFile`, keyFile);
  if (!KEY.test(key))
    throw new ConfigError(
      `${field}.keyFile: ${shown(keyFile)} has no private key in PEM; name the file that has it`,
    );
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new ConfigError(
      `${field}.keyFile: ${shown(keyFile)} doesn't go with certFile ${shown(certFile)}, or can't be read without a password: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The text of a file with certificates. */
async function certificates(field: string, path: string): Promise<string> {
  const text = await read(field, path);
  const found = text.match(CERTIFICATES);
  if (found === null)
    throw new ConfigError(`${field}: ${shown(path)} has no certificate in PEM; convert it, or name another`);
  for (const [index, pem] of found.entries()) {
    try {
      // What it is made of is looked at by that.
      new X509Certificate(pem);
    } catch (cause) {
      throw new ConfigError(
        `${field}: certificate ${index + 1} of ${shown(path)} can't be read: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
  return text;
}

async function read(field: string, path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (cause) {
    throw new ConfigError(
      `${field}: can't read ${shown(path)}: ${(cause as Error).message}; check the path and its permissions`,
      { cause },
    );
  }
}
