import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipAsync = promisify(gzip);

/** Below this many bytes gzip saves less than a packet. */
const WORTHWHILE_BYTES = 1024;
/** Fast: a scrape is read once. */
const LEVEL = 1;

/** Compresses a body if the client takes gzip and it is worthwhile. Prometheus reads any other encoding as plain text. */
export type Compressor = (
  bytes: Uint8Array,
  acceptEncoding: string,
) => Promise<{ readonly bytes: Buffer; readonly encoding: 'gzip' | undefined }>;

export const compress: Compressor = async (bytes, acceptEncoding) => {
  const plain = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (plain.length < WORTHWHILE_BYTES || !takesGzip(acceptEncoding))
    return { bytes: plain, encoding: undefined };
  return { bytes: await gzipAsync(plain, { level: LEVEL }), encoding: 'gzip' };
};

/** Whether gzip is among the codings with a weight above 0: https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding */
function takesGzip(acceptEncoding: string): boolean {
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((each) => each.trim());
    const weight = parameters.find((each) => each.startsWith('q='))?.slice(2);
    weights.set(coding, weight === undefined ? 1 : Number(weight));
  }
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}
