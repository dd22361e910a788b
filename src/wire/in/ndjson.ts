import type { Read } from '../../core/draft.ts';
import { TooLargeError } from '../../core/errors.ts';
import { attempt, readJsonEvent } from './jsonEvents.ts';
import { textOfUtf8 } from './text.ts';

/** What a stream of lines may measure, in bytes. */
export interface StreamLimits {
  readonly lineBytesMax: number;
  readonly bytesMax: number;
}

const LINE_END = 0x0a;

/**
 * Reads `application/x-ndjson`: a JSON event on each line, as `readJsonEvents` has it. Blank lines are passed over, and are not counted.
 * No more is held than one line. Throws a TooLargeError; a line that can't be read is read as its error.
 * Source: https://github.com/ndjson/ndjson-spec
 */
export async function* readNdjson(
  chunks: AsyncIterable<Uint8Array>,
  limits: StreamLimits,
): AsyncGenerator<Read> {
  for await (const line of linesOf(chunks, limits)) {
    if (line.every(isBlank)) continue;
    yield attempt(() => readJsonEvent(textOfUtf8('body', line)));
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  { lineBytesMax, bytesMax }: StreamLimits,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let partsBytes = 0;
  let bytes = 0;
  const keep = (part: Uint8Array): void => {
    partsBytes += part.length;
    if (partsBytes > lineBytesMax) {
      throw new TooLargeError(
        'body',
        `a line is longer than ${lineBytesMax} bytes; write one event on each, or raise event.bodyMax`,
      );
    }
    parts.push(part);
  };
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new TooLargeError(
        'body',
        `the body is longer than ${bytesMax} bytes; send less at a time or raise batch.bytesMax`,
      );
    }
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, from)) {
      keep(chunk.subarray(from, end));
      yield joined(parts, partsBytes);
      parts = [];
      partsBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (partsBytes > 0) yield joined(parts, partsBytes);
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(bytes);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
