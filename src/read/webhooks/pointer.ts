import { RefusedError, shown } from '../../core/errors.ts';
import { JsonNumber } from '../json.ts';

/** A JSON pointer, read: https://www.rfc-editor.org/rfc/rfc6901 */
export type Pointer = readonly string[];

const POINTER_CHARACTERS_MAX = 512;
const POINTER_SEGMENTS_MAX = 32;
const BROKEN_ESCAPE = /~(?![01])/;

/** Reads a pointer: empty for the whole document, else `/name/0/name`, with `~1` for `/` and `~0` for `~`. Throws a RefusedError. */
export function parsePointer(field: string, text: string): Pointer {
  if (text === '') return [];
  if (!text.startsWith('/') || BROKEN_ESCAPE.test(text)) {
    throw new RefusedError(
      field,
      `${field} ${shown(text)} is not a JSON pointer; write /name/name, with ~1 for / and ~0 for ~ inside a name`,
    );
  }
  const segments = text
    .slice(1)
    .split('/', POINTER_SEGMENTS_MAX + 1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (text.length > POINTER_CHARACTERS_MAX || segments.length > POINTER_SEGMENTS_MAX) {
    throw new RefusedError(
      field,
      `${field} ${shown(text)} is longer than ${POINTER_SEGMENTS_MAX} names or ${POINTER_CHARACTERS_MAX} characters; choose a shorter path`,
    );
  }
  return segments;
}

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** What a pointer points at; undefined where there is nothing. Names that every object has, such as `constructor`, are nothing. */
export function resolve(pointer: Pointer, document: unknown): unknown {
  let at = document;
  for (const segment of pointer) {
    if (Array.isArray(at)) at = INDEX.test(segment) ? (at as unknown[])[Number(segment)] : undefined;
    else if (isObject(at)) at = Object.hasOwn(at, segment) ? at[segment] : undefined;
    else return undefined;
  }
  return at;
}

/** Whether a JSON value is an object: no array, no number, and not null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  );
}
