import { shown } from './error.ts';
import type { Kind } from './kinds.ts';

/** A setting with members of its own, of which the one that uses it knows more. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The member, at any depth, whose value is never shown where it is a text. */
const SECRET = 'secret';
const HIDDEN = '***';

/** A JSON object; as a flag and in the environment its text. Only whether it is one is checked. Secrets in it are not shown. */
export function jsonObject(): Kind<JsonObject> {
  return {
    placeholder: '<json>',
    parse(raw) {
      const value = typeof raw === 'string' ? parseText(raw) : raw;
      if (isJsonObject(value)) return value;
      throw new Error(
        `must be a JSON object, not ${Array.isArray(value) ? 'an array' : shown(typeof value)}; write {} for an empty one`,
      );
    },
    format: (value) => JSON.stringify(value, hideSecrets),
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
      'must be a JSON object, and is not valid JSON; its text is not shown, as it may hold a secret',
    );
  }
}

function hideSecrets(name: string, value: unknown): unknown {
  return name === SECRET && typeof value === 'string' ? HIDDEN : value;
}
