import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../scripts/nodeFlags.ts';

const run = promisify(execFile);

/** Runs a floor that is no server, on the servers' core. Resolves to the number that it prints. */
export async function alone(program: string, ...args: readonly (string | number)[]): Promise<number> {
  const node = [process.execPath, ...NODE_FLAGS];
  const file = join(import.meta.dirname, 'floors', program);
  const { stdout } = await run('taskset', ['-c', '0', ...node, file, ...args.map(String)]);
  return Number(stdout);
}
