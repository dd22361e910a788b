import type { ProtobufFamily } from '../../../support/protobufReader.ts';
import { readProtobuf } from '../../../support/protobufReader.ts';

/** The server's own metrics begin so; what was posted under `event.metric`, `events_to_metrics`, does not. */
const OWN = /^(?:events_to_metrics|process|nodejs)_/;

/**
 * The families of these names in a body of delimited protobuf. Reads no others but to pass them, since a scrape may be of many MB
 * in a second; and the size of the server's own metrics. Throws where the body is cut.
 */
export function familiesNamed(
  body: Buffer,
  names: ReadonlySet<string>,
): { readonly found: readonly ProtobufFamily[]; readonly ownBytes: number } {
  const found: ProtobufFamily[] = [];
  let ownBytes = 0;
  for (let place = 0; place < body.length;) {
    const begin = place;
    const length = varintAt(body, place);
    const end = length.end + length.value;
    if (end > body.length) throw new Error('a family is cut');
    // The name is the first field.
    if (body[length.end] !== 10) throw new Error('a family does not begin with its name');
    const name = varintAt(body, length.end + 1);
    const text = body.toString('utf8', name.end, name.end + name.value);
    if (OWN.test(text)) ownBytes += end - begin;
    if (names.has(text)) found.push(...readProtobuf(body.subarray(begin, end)));
    place = end;
  }
  return { found, ownBytes };
}

function varintAt(body: Buffer, place: number): { value: number; end: number } {
  let [value, factor, at] = [0, 1, place];
  for (;;) {
    const byte = body[at++];
    if (byte === undefined) throw new Error('a number is cut');
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at };
    factor *= 128;
  }
}
