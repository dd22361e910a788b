import { RE2JS } from 're2js';
import { SelectorError } from './selector.ts';

/** Instructions of a compiled expression: what a match may take for each character, at the worst. */
const INSTRUCTIONS_MAX = 5_000;

/**
 * Compiles a regular expression as Prometheus does: RE2's syntax, anchored at both ends, and a dot is any character. It takes time in proportion to the text,
 * whatever it is. Throws a SelectorError.
 */
export function compilePattern(pattern: string): (value: string) => boolean {
  let compiled: RE2JS;
  try {
    // By itself first, so that what isn't closed, or closed too often, isn't mended by what is put around it.
    RE2JS.compile(pattern);
    compiled = RE2JS.compile(`^(?s:${pattern})$`);
  } catch (cause) {
    throw new SelectorError(`${cause instanceof Error ? cause.message : String(cause)}; use RE2's syntax`, {
      cause,
    });
  }
  if (compiled.programSize() > INSTRUCTIONS_MAX)
    throw new SelectorError('is too large a regular expression; use fewer or smaller repetitions');
  return (value) => compiled.test(value);
}
