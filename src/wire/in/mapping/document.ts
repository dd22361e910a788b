import type { Json } from '../json.ts';
import { parseJson } from '../json.ts';
import { textOfUtf8 } from '../text.ts';

/** Reads a webhook's body: JSON in UTF-8, whatever its content type is called. Throws a RefusedError. */
export function parseDocument(body: Uint8Array): Json {
  return parseJson(textOfUtf8('body', body));
}
