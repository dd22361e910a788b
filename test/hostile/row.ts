import { gzipSync } from 'node:zlib';

/** One hostile request, and what the documentation says becomes of it. */
export interface Row {
  readonly name: string;
  /** What is written on the connection, made only when it is. */
  readonly bytes: () => string | Buffer;
  /** Of the first answer; `cut` where the connection ends without one. */
  readonly status: number | 'cut';
  /** What the error names; absent, the answer is no error, or is one that names nothing. */
  readonly field?: string;
  /** How many events are in the log on account of it; absent, none. */
  readonly stored?: number;
  /** What is stored, where it is one event: its series. */
  readonly series?: string;
  /** Whether the client ends its side once it has sent, as one that was cut off in the middle does. */
  readonly ends?: true;
}

export type Headers = Readonly<Record<string, string>>;

export const KIB = 1024;
export const MIB = 1024 * KIB;

export const FORM = 'application/x-www-form-urlencoded';
export const JSON_TYPE = 'application/json';
export const NDJSON = 'application/x-ndjson';
export const CLOUD_EVENT = 'application/cloudevents+json';
export const CLOUD_EVENTS = 'application/cloudevents-batch+json';

/** A request as it goes over the wire, with a head of any shape and a body of any bytes. */
export function raw(head: readonly string[], body: string | Buffer = ''): Buffer {
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytesOf(body)]);
}

const headOf = (method: string, path: string, headers: Headers): string[] => [
  `${method} ${path} HTTP/1.1`,
  'Host: test',
  ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
];

/** A whole request with a body; its Content-Length can be a lie. */
export function send(
  path: string,
  type: string | undefined,
  body: string | Buffer,
  headers: Headers = {},
  method = 'POST',
): Buffer {
  return raw(
    headOf(method, path, {
      ...(type !== undefined && { 'Content-Type': type }),
      'Content-Length': String(bytesOf(body).length),
      ...headers,
    }),
    body,
  );
}

/** A request without a body. */
export const ask = (path: string, headers: Headers = {}, method = 'GET'): Buffer =>
  raw(headOf(method, path, headers));

/** A post whose parameters stand in its URL. */
export const post = (path: string, headers: Headers = {}): Buffer => send(path, undefined, '', headers);

/** A body in chunks as they are given, each framed rightly, with the last chunk unless it is left out. */
export function chunked(
  path: string,
  type: string,
  chunks: readonly (string | Buffer)[],
  headers: Headers = {},
  last = '0\r\n\r\n',
): Buffer {
  const framed = chunks.flatMap((chunk) => {
    const bytes = bytesOf(chunk);
    return [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return raw(
    headOf('POST', path, { 'Content-Type': type, 'Transfer-Encoding': 'chunked', ...headers }),
    Buffer.concat([...framed, Buffer.from(last)]),
  );
}

export const GZIP = { 'Content-Encoding': 'gzip' } as const;
export const gzipped = (text: string | Buffer): Buffer => gzipSync(text);

/** Arrays within each other, as deep as it is said. */
export const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Bytes that no UTF-8 has, between two texts. */
export const broken = (before: string, bytes: readonly number[], after: string): Buffer =>
  Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);

function bytesOf(body: string | Buffer): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : body;
}
