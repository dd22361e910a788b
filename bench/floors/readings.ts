import type { IncomingMessage } from 'node:http';

/** What a floor reads of a request: the same parameters that the server takes as labels. */
export function parametersOf(request: IncomingMessage): readonly (readonly [string, string])[] {
  const url = request.url ?? '';
  return [...new URLSearchParams(url.slice(url.indexOf('?') + 1))];
}

/** A whole body, as bytes. */
export function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/** The objects in a body of one JSON object a line. */
export function linesOf(body: Buffer): unknown[] {
  const events: unknown[] = [];
  for (const line of body.toString().split('\n')) if (line !== '') events.push(JSON.parse(line));
  return events;
}
