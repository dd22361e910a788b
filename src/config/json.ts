import { nearest } from '../core/nearest.ts';
import { shown } from '../core/errors.ts';
import type { ValueType } from './valueTypes.ts';

/** A setting with members of its own, of which the one that uses it knows more. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What stands for a value that is not shown. */
const HIDDEN = '***';

/** Names of members that hold secrets, at any depth, or may, by a typing mistake. */
const SECRET_NAME = /secret|token|passw|pwd|credential|signature|auth|api[-_]?key|private/i;
const SECRET_WORDS = ['secret', 'token', 'password', 'signature'];

/**
 * An object of JSON objects by names; as a flag and in the environment its text. Only whether it is an object is checked. Of its objects
 * those members are shown that are `known`, but for what may be secret, whatever its form: a mistake must not print one.
 */
export function namedObjects(known: ReadonlySet<string>): ValueType<JsonObject> {
  return {
    placeholder: '<json>',
    parse(raw) {
      const value = typeof raw === 'string' ? parseText(raw) : raw;
      if (isJsonObject(value)) return value;
      throw new Error(
        `must be a JSON object, not ${Array.isArray(value) ? 'an array' : shown(typeof value)}; write {} for an empty one`,
      );
    },
    format: (value) => JSON.stringify(mapped(value, (object) => shownOf(object, known))),
  };
}

/** Whether a JSON value is an object: no array, and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message repeats the text, which may hold a secret.
    throw new Error(
      "must be a JSON object, but is not valid JSON; its text isn't shown because it may contain a secret",
    );
  }
}

function shownOf(object: unknown, known: ReadonlySet<string>): unknown {
  if (!isJsonObject(object)) return HIDDEN;
  return mapped(object, (value, name) => (known.has(name) ? withoutSecrets(value, name) : HIDDEN));
}

/** A URL that may have a secret in it: before an `@`, or behind a question mark. */
const TELLING_URL = /^[^/?#]*:\/\/[^/?#]*@|\?/;

function withoutSecrets(value: unknown, name: string): unknown {
  if (name === 'url' && typeof value === 'string' && TELLING_URL.test(value)) return HIDDEN;
  if (SECRET_NAME.test(name) || nearest(name, SECRET_WORDS) !== undefined) return HIDDEN;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutSecrets(item, ''));
  return isJsonObject(value) ? mapped(value, withoutSecrets) : value;
}

function mapped(object: JsonObject, of: (value: unknown, name: string) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, of(value, name)]));
}
