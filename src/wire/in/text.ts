import { RefusedError } from '../../core/errors.ts';

/**
 * The text of bytes, which must be UTF-8. A byte order mark at the beginning is no part of it: some systems write one before
 * everything. Throws a RefusedError.
 */
export function textOfUtf8(field: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RefusedError(field, `${field} is not valid UTF-8; send text as UTF-8`, { cause });
  }
}
