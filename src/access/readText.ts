import { open } from 'node:fs/promises';
import type { ReadText } from './tlsState.ts';

/** No such file is longer; what is, is some other file. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Reads a file of at most FILE_BYTES_MAX bytes. */
export const readText: ReadText = async (path) => {
  await using file = await open(path);
  const buffer = Buffer.alloc(64 * 1024);
  const chunks: Buffer[] = [];
  for (let total = 0; ;) {
    const { bytesRead } = await file.read(buffer);
    if (bytesRead === 0) return Buffer.concat(chunks).toString('utf8');
    total += bytesRead;
    if (total > FILE_BYTES_MAX) throw new Error(`it is longer than ${FILE_BYTES_MAX} bytes`);
    chunks.push(Buffer.from(buffer.subarray(0, bytesRead)));
  }
};
