import type { ProtobufFamily } from '../../../support/protobufReader.ts';
import { readProtobuf } from '../../../support/protobufReader.ts';

/**
 * The families of these names in a body of delimited protobuf. Reads no others but to pass them, since a scrape may be of many MB
 * in a second. Throws where the body is cut.
 */
export function familiesNamed(body: Buffer, names: ReadonlySet<string>): ProtobufFamily[] {
  const found: ProtobufFamily[] = [];
  for (let place = 0; place < body.length;) {
    const begin = place;
    const length = varintAt(body, place);
    const end = length.end + length.value;
    if (end > body.length) throw new Error('a family is cut');
    // The name is the first field.
    if (body[length.end] !== 10) throw new Error('a family does not begin with its name');
    const name = varintAt(body, length.end + 1);
    if (names.has(body.toString('utf8', name.end, name.end + name.value)))
      found.push(...readProtobuf(body.subarray(begin, end)));
    place = end;
  }
  return found;
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
