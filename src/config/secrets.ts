import type { Environment } from './environment.ts';
import { ConfigError } from './error.ts';
import { shown } from '../core/errors.ts';
import type { ReadFile } from './file.ts';
import type { JsonObject } from './json.ts';
import { isJsonObject } from './json.ts';
import { ENV_PREFIX } from './names.ts';

/** Where secrets may be kept instead of in the settings. */
export interface SecretSources {
  readonly env: Environment;
  readonly readFile: ReadFile;
}

/** Stands for a secret that wasn't read. */
const UNREAD = 'not read';

/**
 * Reads the secrets of objects that have names: `{"github": {"secret": {"file": "/run/secrets/github"}}}` becomes one with the secret's text in
 * its place, and so does `{"env": "NAME"}`. A line break at the end of a file is no part of its secret. Without `sources`
 * none is read, and a text that is no secret takes its place. `key` is the setting's. Throws a ConfigError that names the place and never shows a secret.
 */
export function readSecrets(
  key: string,
  objects: JsonObject,
  sources: SecretSources | undefined,
): JsonObject {
  const entries = Object.entries(objects).map(([name, object]) => {
    if (!isJsonObject(object) || !isJsonObject(object['secret'])) return [name, object] as const;
    return [
      name,
      { ...object, secret: readSecret(`${key}.${name}.secret`, object['secret'], sources) },
    ] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * The same of sinks: a bearer token, a password and each header's value may be kept elsewhere.
 */
export function readSinkSecrets(
  key: string,
  sinks: JsonObject,
  sources: SecretSources | undefined,
): JsonObject {
  const read = (field: string, value: unknown) =>
    isJsonObject(value) ? readSecret(field, value, sources) : value;
  const readMembers = (field: string, object: unknown, isSecret: (name: string) => boolean) =>
    isJsonObject(object)
      ? Object.fromEntries(
          Object.entries(object).map(([name, value]) => [
            name,
            isSecret(name) ? read(`${field}.${name}`, value) : value,
          ]),
        )
      : object;
  const entries = Object.entries(sinks).map(([name, sink]) => {
    if (!isJsonObject(sink)) return [name, sink] as const;
    const field = `${key}.${name}`;
    const { bearerToken, basicAuth, headers } = sink;
    return [
      name,
      {
        ...sink,
        ...(bearerToken !== undefined && { bearerToken: read(`${field}.bearerToken`, bearerToken) }),
        ...(basicAuth !== undefined && {
          basicAuth: readMembers(`${field}.basicAuth`, basicAuth, () => true),
        }),
        ...(headers !== undefined && { headers: readMembers(`${field}.headers`, headers, () => true) }),
      },
    ] as const;
  });
  return Object.fromEntries(entries);
}

/** Reads what stands elsewhere. Throws a ConfigError. */
export function readSecret(field: string, place: JsonObject, sources: SecretSources | undefined): string {
  const [[source, where] = [], ...others] = Object.entries(place);
  if (others.length > 0 || typeof where !== 'string' || (source !== 'env' && source !== 'file'))
    throw new ConfigError(`${field} must be a string, {"env": "NAME"} or {"file": "path"}; use one of them`);
  if (sources === undefined) return UNREAD;
  const { env, readFile } = sources;
  const secret = source === 'env' ? env[where] : readSecretFile(field, where, readFile);
  if (secret === undefined || secret === '') {
    // It may be the secret itself, in the wrong place.
    const isPlace = source === 'env' ? /^[A-Z_][A-Z\d_]*$/.test(where) : /^\.{0,2}\//.test(where);
    const what = `${source === 'env' ? 'the environment variable' : 'the file'}${isPlace ? ` ${shown(where)}` : ' that it names'}`;
    if (source === 'env' && where.startsWith(ENV_PREFIX))
      throw new ConfigError(
        `${field}: ${what} is ${secret === '' ? 'empty' : 'missing'}; choose a name that doesn't begin with ${ENV_PREFIX}, because only settings do`,
      );
    throw new ConfigError(
      `${field}: ${what} is ${secret === '' ? 'empty' : 'missing'}; put the secret there`,
    );
  }
  return secret;
}

function readSecretFile(field: string, path: string, readFile: ReadFile): string | undefined {
  try {
    return readFile(path)?.replace(/\r?\n$/, '');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${field}: can't read ${shown(path)}: ${why}; check the path and its permissions`, {
      cause,
    });
  }
}
