import type { IncomingMessage } from 'node:http';
import { RefusedError, shown } from '../core/errors.ts';

const HEADER = 'Idempotency-Key';
const ASCII = /^[\x20-\x7e]*$/;
/** A string as the header's draft standard has it: https://www.rfc-editor.org/rfc/rfc9651#section-3.3.3 */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/**
 * The id that a request carries in its `Idempotency-Key` header, in quotes (as its draft standard has it) or without (as most
 * write it). Throws a RefusedError.
 * Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function idempotencyKey(request: IncomingMessage): string | undefined {
  // Most requests have none, and the distinct headers are made when they are asked for.
  if (request.headers['idempotency-key'] === undefined) return undefined;
  const given = request.headersDistinct['idempotency-key'] ?? [];
  const [key = '', ...more] = given;
  if (more.length > 0) throw new RefusedError(HEADER, `${HEADER} appears more than once; send one key`);
  return readIdempotencyKey(key);
}

/** The id in the header's value. Throws a RefusedError. */
export function readIdempotencyKey(key: string): string {
  if (!ASCII.test(key)) {
    throw new RefusedError(
      HEADER,
      `${HEADER} ${shown(key)} contains a character that isn't printable ASCII; use a UUID, for example`,
    );
  }
  if (!key.startsWith('"')) return key;
  // As nearly all are.
  if (!key.includes('\\') && key.indexOf('"', 1) === key.length - 1 && key.length > 1)
    return key.slice(1, -1);
  const quoted = QUOTED.exec(key)?.[1];
  return quoted === undefined ? key : quoted.replaceAll(/\\(.)/g, '$1');
}
