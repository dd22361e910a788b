import { RefusedError, shown } from '../../core/errors.ts';
import type { Material, Reference } from './reference.ts';
import { parseReference, textIfAny } from './reference.ts';

/** A text with references in it, read: texts and references in order. */
export type Template = readonly (string | Reference)[];

/** Reads `{/id}:{/status}`. A brace has no other meaning, and can't stand in the text itself. Throws a RefusedError. */
export function parseTemplate(field: string, text: string): Template {
  const parts: (string | Reference)[] = [];
  // At the even places stands text, at the odd ones what was in braces.
  for (const [place, piece] of text.split(/\{([^{}]*)\}/).entries()) {
    if (place % 2 === 1) parts.push(parseReference(field, piece));
    else if (/[{}]/.test(piece))
      throw new RefusedError(
        field,
        `${field} ${shown(text)} has an unmatched brace; write {/a/b} around a reference`,
      );
    else if (piece !== '') parts.push(piece);
  }
  if (!parts.some((part) => typeof part !== 'string')) {
    throw new RefusedError(
      field,
      `${field} ${shown(text)} has no reference, so all events would have the same id; put one in braces, such as {/id}`,
    );
  }
  return parts;
}

/** What the first template becomes whose references all have a text; undefined where there is none. */
export function firstFilled(templates: readonly Template[], material: Material): string | undefined {
  for (const template of templates) {
    const texts = template.map((part) => (typeof part === 'string' ? part : textIfAny(part, material)));
    if (!texts.includes(undefined)) return texts.join('');
  }
  return undefined;
}
