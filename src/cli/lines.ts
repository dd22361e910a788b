/** A line that can't be read as it came. */
export type BrokenLine = { readonly broken: string };

/** The lines of a stream of UTF-8, without their ends; why, for one that is longer than `bytesMax` or no UTF-8. The last may lack its end. */
export async function* readLines(
  stream: AsyncIterable<Uint8Array | string>,
  bytesMax: number,
): AsyncGenerator<string | BrokenLine> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  const line = () => {
    const whole =
      bytes > bytesMax
        ? { broken: `longer than ${bytesMax} bytes; shorten it` }
        : (textOf(Buffer.concat(pieces))?.replace(/\r$/, '') ?? { broken: 'not valid UTF-8' });
    pieces = [];
    bytes = 0;
    return whole;
  };
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk as Uint8Array);
    let from = 0;
    for (let end = buffer.indexOf(10); end !== -1; end = buffer.indexOf(10, from)) {
      take(buffer.subarray(from, end));
      yield line();
      from = end + 1;
    }
    take(buffer.subarray(from));
  }
  if (bytes > 0) yield line();

  /** Of a line that is too long nothing is kept but its length. */
  function take(piece: Buffer): void {
    bytes += piece.length;
    if (bytes > bytesMax) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  }
}

// A byte order mark is a part of the text, as any character is.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
