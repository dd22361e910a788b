import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const TSC = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
/** As a strict user's own settings may be, and not this project's. */
const FLAGS = '--noEmit --strict --module nodenext --target es2022 --lib es2022,dom --types'.split(' ');
const run = promisify(execFile);

/** Has the compiler check files in a folder, whose names may be among further flags. Rejects with what it says where it refuses them. */
export async function checkTypes(folder: string, ...filesAndFlags: readonly string[]): Promise<void> {
  await run(process.execPath, [TSC, ...FLAGS, '', ...filesAndFlags], { cwd: folder });
}
