import { readFileSync, readdirSync } from 'node:fs';

/** What Linux tells of this process, in bytes; undefined where it doesn't. */
export interface ProcessMemory {
  readonly resident: number | undefined;
  readonly virtual: number | undefined;
  readonly data: number | undefined;
}

const BYTES_PER_KB = 1024;

/** Files of /proc are made as they are read and never wait for a disk: https://docs.kernel.org/filesystems/proc.html */
export function processMemory(): ProcessMemory {
  const status = read('status');
  const bytesOf = (field: string): number | undefined => {
    const kilobytes = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * BYTES_PER_KB;
  };
  return { resident: bytesOf('VmRSS'), virtual: bytesOf('VmSize'), data: bytesOf('VmData') };
}

/** How many files, sockets and the like are open. */
export function openFiles(): number | undefined {
  try {
    // One of them was open only to list them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

/** How many may be open at a time. */
export function openFilesMax(): number | undefined {
  const most = /^Max open files\s+(\d+|unlimited)/m.exec(read('limits'))?.[1];
  return most === 'unlimited' ? Infinity : most === undefined ? undefined : Number(most);
}

/** A file of this process; empty where there is none, or no file can be opened any more: a scrape should not fail for that. */
function read(file: string): string {
  try {
    return readFileSync(`/proc/self/${file}`, 'utf8');
  } catch {
    return '';
  }
}
