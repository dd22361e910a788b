import type { Read } from '../intake/draft.ts';
import { TooLargeError } from '../core/errors.ts';
import type { Claim } from '../core/memory.ts';
import { attempt, readJsonEvent } from './jsonEvents.ts';
import type { PlainReader } from './plainReader.ts';
import { exactTextOf, textOfUtf8, withoutMark } from './text.ts';

/** What a stream of lines may measure, in bytes. */
export interface StreamLimits {
  readonly lineBytesMax: number;
  readonly bytesMax: number;
}

const LINE_END = 0x0a;
/** What a part of a line takes beside its bytes. */
const PART_BYTES = 256;

/**
 * Reads `application/x-ndjson`: a JSON event on each line, as `readJsonEvents` has it. Blank lines are passed over, and are not counted.
 * The lines that end in one chunk come together; each is read when it is asked for. No more is held than a chunk, and a line that isn't
 * complete yet, which counts in `memory`. Throws a TooLargeError, or what `memory` throws; a line that can't be read is read as its error.
 * Source: https://github.com/ndjson/ndjson-spec
 */
export async function* readNdjson(
  chunks: AsyncIterable<Uint8Array>,
  { lineBytesMax, bytesMax }: StreamLimits,
  plain: PlainReader,
  memory?: Claim,
): AsyncGenerator<Iterable<Read>> {
  const open = new OpenLine(lineBytesMax);
  let held = 0;
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new TooLargeError(
        'body',
        `the body is longer than ${bytesMax} bytes; send less at a time or raise batch.bytesMax`,
      );
    }
    let from = 0;
    if (!open.isEmpty) {
      from = chunk.indexOf(LINE_END) + 1;
      if (from > 0) {
        open.add(chunk.subarray(0, from - 1));
        const line = open.close();
        memory?.give(held);
        held = 0;
        yield readLine(line, plain);
      }
    }
    const end = chunk.lastIndexOf(LINE_END) + 1;
    if (end > from) yield readLines(chunk.subarray(from, end), plain, lineBytesMax);
    if (end === chunk.length) continue;
    // A copy: a part would keep all of the buffer alive that it is cut out of.
    const part = new Uint8Array(chunk.subarray(end));
    memory?.take(part.length + PART_BYTES);
    held += part.length + PART_BYTES;
    open.add(part);
  }
  if (!open.isEmpty) yield readLine(open.close(), plain);
}

/** Reads a body that came whole, and is not too long, as `readNdjson` does. Throws a TooLargeError for a line. */
export function readNdjsonBody(
  body: Uint8Array,
  { lineBytesMax }: StreamLimits,
  plain: PlainReader,
): Iterable<Read> {
  return readLines(body, plain, lineBytesMax);
}

/** Reads lines, of which the last may be without its end: as one text, where none of them can be too long and all are UTF-8. */
function readLines(lines: Uint8Array, plain: PlainReader, lineBytesMax: number): Iterable<Read> {
  const text = lines.length > lineBytesMax ? undefined : exactTextOf(lines);
  return text === undefined ? readEachLine(lines, plain, lineBytesMax) : readText(text, plain);
}

function* readEachLine(lines: Uint8Array, plain: PlainReader, lineBytesMax: number): Generator<Read> {
  const line = new OpenLine(lineBytesMax);
  let from = 0;
  for (let end = lines.indexOf(LINE_END); end !== -1; end = lines.indexOf(LINE_END, from)) {
    line.add(lines.subarray(from, end));
    yield* readLine(line.close(), plain);
    from = end + 1;
  }
  line.add(lines.subarray(from));
  if (!line.isEmpty) yield* readLine(line.close(), plain);
}

/** Reads one line, without its end. */
function readLine(line: Uint8Array, plain: PlainReader): Iterable<Read> {
  const text = exactTextOf(line);
  return text === undefined
    ? [attempt(() => readJsonEvent(textOfUtf8('body', line)))]
    : readText(text, plain);
}

function* readText(text: string, plain: PlainReader): Generator<Read> {
  let from = 0;
  while (from < text.length) {
    const draft = plain.read(text, from);
    const next = draft === undefined ? -1 : behindLineEnd(text, plain.end);
    if (draft !== undefined && next !== -1) {
      from = next;
      yield draft;
    } else {
      const found = text.indexOf('\n', from);
      const end = found === -1 ? text.length : found;
      const line = text.slice(from, end);
      from = end + 1;
      // Passed over here: to hand on millions of them would cost far more than to read them.
      if (!BLANK_LINE.test(line)) yield attempt(() => readJsonEvent(withoutMark(line)));
    }
  }
}

const BLANK_LINE = /^[ \t\r]*$/;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** The place where the next line begins, where nothing but blanks comes before its end; -1 else. */
function behindLineEnd(text: string, from: number): number {
  for (let place = from; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    if (unit === LINE_END) return place + 1;
    if (unit !== SPACE && unit !== TAB && unit !== CARRIAGE_RETURN) return -1;
  }
  return text.length;
}

/** A line that goes on in the next chunk. */
class OpenLine {
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Throws a TooLargeError. */
  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax) {
      throw new TooLargeError(
        'body',
        `a line is longer than ${this.#bytesMax} bytes; write one event per line, or raise event.bodyMax`,
      );
    }
    if (part.length > 0) this.#parts.push(part);
  }

  /** The line as a whole. The next one is empty so far. */
  close(): Uint8Array {
    const parts = this.#parts;
    const [only] = parts;
    const whole = parts.length === 1 && only !== undefined ? only : new Uint8Array(this.#bytes);
    if (whole !== only) {
      let place = 0;
      for (const part of parts) {
        whole.set(part, place);
        place += part.length;
      }
    }
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}
