import { RefusedError } from '../../core/errors.ts';
import type { Json } from '../json.ts';
import { DocumentReader } from './documentReader.ts';
import { Wanted } from './wanted.ts';

/** UTF-8's byte order mark, which some systems write before everything. */
const MARK = [0xef, 0xbb, 0xbf];

/**
 * Reads a webhook's body, in steps: JSON in UTF-8, whatever its content type is called; of it only what is wanted. Each step tells how much
 * memory it took, in bytes. What nobody reads can't refuse a body, as long as it is JSON: a name that stands twice (the last one counts, as for
 * most readers), a number beyond a float64, bytes that are no UTF-8. Throws a RefusedError.
 */
export function* readDocument(body: Uint8Array, wanted: Wanted): Generator<number, Json> {
  const from = MARK.every((byte, at) => body[at] === byte) ? MARK.length : 0;
  const json = yield* new DocumentReader(body, from).read(wanted);
  if (json === undefined) throw new RefusedError('body', 'body is empty; send JSON');
  return json;
}

/** The same at once, for a body that is short. */
export function parseDocument(body: Uint8Array, wanted: Wanted = Wanted.everything): Json {
  const steps = readDocument(body, wanted);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
