import { RefusedError } from '../core/errors.ts';

// They keep nothing from one text to the next.
const decoder = new TextDecoder('utf-8', { fatal: true });
const markKeeper = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const MARK = '\ufeff';

/**
 * The text of bytes, which must be UTF-8. A byte order mark at the beginning is no part of it: some systems write one before
 * everything. Throws a RefusedError.
 */
export function textOfUtf8(field: string, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new RefusedError(field, `${field} is not valid UTF-8; send text as UTF-8`, { cause });
  }
}

/** The text of bytes with all that is in them, a byte order mark too; undefined where they are not UTF-8. */
export function exactTextOf(bytes: Uint8Array): string | undefined {
  try {
    return markKeeper.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A text of `exactTextOf` without its byte order mark, if it has one. */
export function withoutMark(text: string): string {
  return text.startsWith(MARK) ? text.slice(MARK.length) : text;
}
