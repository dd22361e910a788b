import { readFileSync } from 'node:fs';

/** What a process did, as `recorder.c` recorded it. Paths are below the recorded folder. */
export type Deed =
  | { readonly kind: 'open'; readonly fd: number; readonly path: string; readonly flags: number }
  | { readonly kind: 'close'; readonly fd: number }
  | { readonly kind: 'write'; readonly fd: number; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly fd: number; readonly size: number }
  | { readonly kind: 'syncBegin' | 'syncEnd'; readonly fd: number }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'unlink' | 'mkdir' | 'rmdir'; readonly path: string }
  | { readonly kind: 'accept'; readonly fd: number; readonly port: number }
  | { readonly kind: 'send'; readonly fd: number; readonly bytes: number }
  | { readonly kind: 'unsent'; readonly fd: number; readonly bytes: number };

const HEAD_BYTES = 40;

/** All that a process did, in its order. Throws where it did what isn't simulated. */
export function readRecording(file: string): Deed[] {
  const content = readFileSync(file);
  const deeds: Deed[] = [];
  for (let at = 0; at + HEAD_BYTES <= content.length;) {
    const length = content.readUInt32LE(at + 24);
    const data = content.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    if (data.length < length) throw new Error(`${file} is cut`);
    deeds.push(readDeed(content, at, data));
    at += HEAD_BYTES + length;
  }
  return deeds;
}

function readDeed(content: Buffer, at: number, data: Buffer): Deed {
  const fd = content.readInt32LE(at + 4);
  const offset = Number(content.readBigInt64LE(at + 8));
  const size = Number(content.readBigInt64LE(at + 16));
  const text = (from = 0, to = data.length) => data.toString('utf8', from, to);
  const kind = content.readUInt32LE(at);
  const make: (() => Deed) | undefined = [
    () => ({ kind: 'open', fd, path: text(), flags: content.readUInt32LE(at + 28) }) as const,
    () => ({ kind: 'write', fd, offset, data }) as const,
    () => ({ kind: 'truncate', fd, size }) as const,
    () => ({ kind: 'syncBegin', fd }) as const,
    () => ({ kind: 'syncEnd', fd }) as const,
    () => ({ kind: 'close', fd }) as const,
    () => ({ kind: 'rename', path: text(0, offset), to: text(offset) }) as const,
    () => ({ kind: 'unlink', path: text() }) as const,
    () => ({ kind: 'link', path: text(0, offset), to: text(offset) }) as const,
    () => ({ kind: 'mkdir', path: text() }) as const,
    () => ({ kind: 'rmdir', path: text() }) as const,
    () => ({ kind: 'accept', fd, port: size }) as const,
    () => ({ kind: 'send', fd, bytes: data.length }) as const,
    () => ({ kind: 'unsent', fd, bytes: size }) as const,
  ][kind - 1];
  if (make === undefined) throw new Error(`the process did what is not simulated (${kind}): ${text()}`);
  return make();
}
