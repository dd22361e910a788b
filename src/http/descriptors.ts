import { readFile } from 'node:fs/promises';

/** How many files and connections the process may have open; undefined where that can't be told, as on other systems than Linux. */
export async function descriptorLimit(read = readLimits): Promise<number | undefined> {
  const limits = await read().catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

const readLimits = () => readFile('/proc/self/limits', 'utf8');
