import type { Condition } from './compile.ts';
import type { Material } from './reference.ts';
import { isStructure, textIfAny, valueOf } from './reference.ts';

/** Whether a condition holds. */
export function holds({ reference, texts }: Condition, material: Material): boolean {
  // An object or an array is no text that a condition could name, and it isn't nothing either.
  if (isStructure(valueOf(reference, material))) return false;
  return texts.has(textIfAny(reference, material));
}

export function allHold(conditions: readonly Condition[], material: Material): boolean {
  return conditions.every((each) => holds(each, material));
}
