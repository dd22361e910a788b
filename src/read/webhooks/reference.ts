import { RefusedError, shown } from '../../core/errors.ts';
import { JsonNumber } from '../json.ts';
import { digestOf } from './digest.ts';
import type { Pointer } from './pointer.ts';
import { isObject, parsePointer, resolve } from './pointer.ts';

/** What one event is read from. */
export interface Material {
  /** The event's own part of the body. */
  readonly item: unknown;
  /** The whole body; the same as `item` where a body is one event. */
  readonly document: unknown;
  readonly headers: Headers;
}

/** A request's header by its name in lower case; undefined where there is none. */
export type Headers = (name: string) => string | undefined;

/**
 * Where a text comes from. As a text `/a/b` (in the event's own part), `document:/a/b` (in the whole body), `header:X-Name`, or
 * `digest:/a/b` (the fingerprint of all that stands there in the event's own part, `digest:` of all of it).
 */
export type Reference =
  | { readonly in: 'item' | 'document' | 'digest'; readonly pointer: Pointer; readonly text: string }
  | { readonly in: 'header'; readonly name: string; readonly text: string };

const DOCUMENT = 'document:';
const HEADER = 'header:';
const DIGEST = 'digest:';
/** https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

/** Reads a reference. Throws a RefusedError that names `field`. */
export function parseReference(field: string, text: string): Reference {
  if (text.startsWith(HEADER)) {
    const name = text.slice(HEADER.length);
    if (!HEADER_NAME.test(name))
      throw new RefusedError(
        field,
        `${field} ${shown(text)} is not a valid header name; write ${HEADER}X-Name`,
      );
    return { in: 'header', name: name.toLowerCase(), text };
  }
  if (text.startsWith(DOCUMENT))
    return { in: 'document', pointer: parsePointer(field, text.slice(DOCUMENT.length)), text };
  if (text.startsWith(DIGEST))
    return { in: 'digest', pointer: parsePointer(field, text.slice(DIGEST.length)), text };
  if (text.startsWith('/')) return { in: 'item', pointer: parsePointer(field, text), text };
  throw new RefusedError(
    field,
    `${field} ${shown(text)} is not a reference; write a JSON pointer such as /a/b, or ${DOCUMENT}/a/b, or ${HEADER}X-Name, or ${DIGEST}/a/b`,
  );
}

/** What is there: a JSON value, or a header's text; undefined where there is nothing. */
export function valueOf(reference: Reference, { item, document, headers }: Material): unknown {
  if (reference.in === 'header') return headers(reference.name);
  const found = resolve(reference.pointer, reference.in === 'document' ? document : item);
  return reference.in === 'digest' && found !== undefined ? digestOf(found) : found;
}

/** What Go's templates write for what isn't there: https://pkg.go.dev/text/template */
const PLACEHOLDERS: ReadonlySet<unknown> = new Set(['<no value>', '<nil>']);

/** Whether a JSON value is a text that some templates write for nothing. */
export function isPlaceholder(value: unknown): boolean {
  return PLACEHOLDERS.has(value);
}

/**
 * The same as a text; undefined for nothing, null, the empty text (which is no label anyway), what templates write for nothing, and for an
 * object or an array.
 */
export function textIfAny(reference: Reference, material: Material): string | undefined {
  const value = valueOf(reference, material);
  if (typeof value === 'string') return value === '' || isPlaceholder(value) ? undefined : value;
  if (value instanceof JsonNumber) return value.text;
  return typeof value === 'boolean' ? String(value) : undefined;
}

/** As `textIfAny`, but throws a RefusedError for an object or an array, which no label can hold. */
export function textOf(reference: Reference, material: Material): string | undefined {
  const value = valueOf(reference, material);
  if (isStructure(value)) throw noText(reference, value);
  return textIfAny(reference, material);
}

/** The error for an object or an array, or for what templates write for nothing. */
export function noText({ text }: Pick<Reference, 'text'>, value: unknown): RefusedError {
  if (typeof value === 'string')
    return new RefusedError(
      text,
      `${text} is ${shown(value)}, which templates write for a missing value; correct the sender's template`,
    );
  const what = Array.isArray(value) ? 'an array' : 'an object';
  return new RefusedError(
    text,
    `${text} is ${what}; it must be a string, a number or a boolean; point at something inside it`,
  );
}

/** Whether a JSON value is an object or an array. */
export function isStructure(value: unknown): boolean {
  return Array.isArray(value) || isObject(value);
}

/** The text of the first reference that has one. Throws a RefusedError where the only one points at an object or an array. */
export function firstTextOf(references: readonly Reference[], material: Material): string | undefined {
  const [only, ...others] = references;
  if (only !== undefined && others.length === 0) return textOf(only, material);
  for (const reference of references) {
    const text = textIfAny(reference, material);
    if (text !== undefined) return text;
  }
  return undefined;
}
