import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { installCommand } from '../support/cliProcess.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import { checkTypes } from '../support/typescript.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The blocks of a language in a page. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  );
}

interface Shown {
  readonly command: string;
  readonly output: readonly string[];
}

/** Commands, each with what stands below it: `# ` and a line of its output. */
function shownIn(page: string): Shown[] {
  const shown: { command: string; output: string[] }[] = [];
  for (const line of blocks(page, 'sh').join('').split('\n')) {
    if (line.startsWith('# ')) shown.at(-1)?.output.push(line.slice(2));
    else if (line !== '') shown.push({ command: line, output: [] });
  }
  return shown;
}

/** A text in which … stands for anything. */
function pattern(lines: readonly string[]): RegExp {
  const escaped = lines.map((line) =>
    line
      .split('…')
      .map((part) => RegExp.escape(part))
      .join('.*'),
  );
  return new RegExp(`^${escaped.join('\\n')}\\n$`);
}

it('each line of docs/ingest/cli.md works as it stands, with the output that it promises', async () => {
  using folder = temporaryFolder();
  for (const name of ['bin', 'home', 'work']) mkdirSync(join(folder.path, name));
  installCommand(join(folder.path, 'bin'));
  await using server = await startServer();
  const env = {
    PATH: `${join(folder.path, 'bin')}:${process.env['PATH'] ?? ''}`,
    HOME: join(folder.path, 'home'),
    ONESHOT_URL: server.url,
  };
  const lines = shownIn('docs/ingest/cli.md');
  expect(lines.length).toBeGreaterThan(15);
  for (const { command, output } of lines) {
    expect(output.length, `${command} says nothing of its output`).toBeGreaterThan(0);
    const { stdout, stderr } = await run('bash', ['-c', command], { cwd: join(folder.path, 'work'), env });
    expect(stdout, command).toMatch(pattern(output));
    expect(stderr, command).toBe('');
  }
});

it('the programs of docs/ingest/client.md are right by their types, and say what they promise', async () => {
  using folder = temporaryFolder();
  await using server = await startServer();
  const client = join(ROOT, 'src/client/client.ts');
  const program = blocks('docs/ingest/client.md', 'ts')
    .join('\n')
    .replace("'one-shot-metrics-server/client'", `'${client}'`)
    .replace('http://localhost:8090', server.url);
  const promised = [...program.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, output]) => output);
  expect(promised.length).toBeGreaterThan(1);
  const file = join(folder.path, 'program.mts');
  writeFileSync(file, program);
  await checkTypes(folder.path, '--allowImportingTsExtensions', file);
  const { stdout } = await run(process.execPath, [file]);
  expect(stdout.trimEnd().split('\n')).toEqual(promised);
});
