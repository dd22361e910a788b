import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A command that a page shows, and what it says that this prints. */
export interface ShownCommand {
  readonly command: string;
  /** The `# …` line below, without the `# `. */
  readonly answer: string | undefined;
}

const HERE = 'localhost:8090';
const run = promisify(execFile);

/** Whether there is a curl; in CI there must be. */
export function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    if ((process.env['CI'] ?? '') !== '') throw new Error('CI needs curl');
    return false;
  }
}

/** The lines with a curl in the `sh` blocks of a page, by its path in the repository. A line that ends in `\` goes on in the next. */
export function curlLines(page: string): readonly ShownCommand[] {
  const text = readFileSync(join(import.meta.dirname, '../..', page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) => {
    const lines = block.replaceAll('\\\n', '').split('\n');
    return lines.flatMap((command, index) => {
      if (!/(?:^|\| )curl /.test(command) || command.startsWith('#')) return [];
      const below = lines[index + 1] ?? '';
      return [{ command, answer: below.startsWith('# ') ? below.slice(2) : undefined }];
    });
  });
}

/** Runs a shown command against the server of a port. Resolves with what it prints; `flags` are for curl. */
export async function runShown(command: string, port: number, flags = ''): Promise<string> {
  if (!command.includes(HERE)) throw new Error(`this does not go to ${HERE}: ${command}`);
  const line = command
    .replaceAll(HERE, `127.0.0.1:${port}`)
    .replaceAll(/(^|\| )curl /g, `$1curl --silent --show-error ${flags} `);
  const { stdout } = await run('bash', ['-o', 'pipefail', '-c', line]);
  return stdout;
}
