import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { installCommand } from '../support/cliProcess.ts';
import { temporaryFolder } from '../support/server.ts';

const run = promisify(execFile);
const scripts: Record<string, string> = {};

beforeAll(async () => {
  for (const shell of ['bash', 'fish', 'zsh']) scripts[shell] = (await runCli(['completion', shell])).stdout;
});

function has(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    if ((process.env['CI'] ?? '') !== '') throw new Error(`CI needs ${shell}`);
    return false;
  }
}

const hasFish = has('fish');

/** What completion makes of a line: [typed, what it becomes or which words it offers]. */
const LINES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['pu', ['push']],
  ['s', ['scrapers', 'serve', 'sinks', 'spool']],
  ['scrapers f', ['forget']],
  ['spool ', ['flush']],
  ['config ', ['check']],
  ['config check --js', ['--json']],
  ['completion ', ['bash', 'fish', 'zsh']],
  ['help ru', ['run']],
  ['token ', ['new']],
  ['push --js', ['--json']],
  ['push deploy a=1 --tim', ['--time=', '--timeout=']],
  ['run --no-s', ['--no-spool']],
  ['scrapers forget --jso', ['--json']],
  ['spool flush --tot', ['--total=']],
  ['serve --server.po', ['--server.port=']],
  ['--server.po', ['--server.port=']],
  ['serve --store.kind=', ['memory', 'postgres', 'sqlite']],
  ['serve --store.kind=m', ['memory']],
  ['serve --store.kind m', ['memory']],
  ['--store.kind s', ['sqlite']],
];

describe('completion for bash', () => {
  it.each(LINES)('of "%s" offers %j', async (line, offered) => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'oneshot.bash');
    writeFileSync(file, scripts['bash'] ?? '');
    // bash splits the line at = and hands the words to the function that completes.
    const words = ['oneshot', ...line.split(/ |(?<==)|(?==)/)].map((word) => `'${word}'`);
    const script = `source ${file}; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _oneshot; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await run('bash', ['--noprofile', '--norc', '-c', script]);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n').toSorted()).toEqual(offered);
  });

  it('offers commands of the machine behind --', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'oneshot.bash');
    writeFileSync(file, scripts['bash'] ?? '');
    const script = `source ${file}; COMP_WORDS=(oneshot run -- bas); COMP_CWORD=3; _oneshot; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run('bash', ['--noprofile', '--norc', '-c', script]);
    expect(stdout.split('\n')).toContain('bash');
  });
});

describe.skipIf(!hasFish)('completion for fish (needs fish; on Debian: apt-get install fish)', () => {
  it.each(LINES)('of "%s" offers %j', async (line, offered) => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'oneshot.fish');
    writeFileSync(file, scripts['fish'] ?? '');
    const { stdout, stderr } = await run(
      'fish',
      ['--no-config', '-c', `source ${file}; complete -C 'oneshot ${line}'`],
      { env: { ...process.env, HOME: folder.path } },
    );
    expect(stderr).toBe('');
    const words = stdout
      .trim()
      .split('\n')
      .map((word) => (word.split('\t')[0] ?? '').replace(/^.*=(?=.)/, ''));
    expect(words.toSorted()).toEqual(offered);
  });

  it('tells what a command does, as its help has it', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'oneshot.fish');
    writeFileSync(file, scripts['fish'] ?? '');
    const { stdout } = await run(
      'fish',
      ['--no-config', '-c', `source ${file}; complete -C 'oneshot comp'`],
      {
        env: { ...process.env, HOME: folder.path },
      },
    );
    expect(stdout).toBe('completion\tPrint the completion script for bash, fish or zsh.\n');
  });

  it('offers commands of the machine behind --', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'oneshot.fish');
    writeFileSync(file, scripts['fish'] ?? '');
    const script = `source ${file}; complete -C 'oneshot run -- bas'`;
    const { stdout } = await run('fish', ['--no-config', '-c', script], {
      env: { ...process.env, HOME: folder.path },
    });
    expect(stdout.split('\n').map((word) => word.split('\t')[0])).toContain('bash');
  });
});

/**
 * An interactive zsh in a terminal of its own, driven by another one. A key writes what the line has become to a file, another what is
 * offered.
 */
const DRIVER = String.raw`
zmodload zsh/zpty
cd $1
zpty zsh 'TERM=dumb zsh -f -i'
step() { zpty -w zsh "$1"; }
step "PS1=''; cd $1; autoload -Uz compinit; compinit -u -D; source ./_oneshot"
step 'tell() { print -r -- "$BUFFER" > become; BUFFER=""; }; zle -N tell; bindkey "^X^A" tell; bindkey "^I" complete-word'
step 'setopt no_list_beep no_beep; print ready > ready'
for i in {1..400}; do [[ -e ready ]] && break; sleep 0.05; done
while IFS= read -r line; do
  rm -f become
  zpty -n -w zsh "oneshot $line"$'\t\C-X\C-A'
  for j in {1..400}; do [[ -s become ]] && break; sleep 0.05; done
  cat become 2>/dev/null || print -r -- "nothing for $line"
done < lines
zpty -d zsh
`;

describe('completion for zsh', () => {
  it('makes of a line what there is no doubt about', async ({ skip }) => {
    if (!has('zsh')) throw skip('needs zsh; on Debian: apt-get install zsh');
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, '_oneshot'), scripts['zsh'] ?? '');
    const lines = [
      ...LINES.filter(([, offered]) => offered.length === 1).map(([line, [only = '']]) => {
        const head = line.slice(0, Math.max(line.lastIndexOf(' '), line.lastIndexOf('=')) + 1);
        return [line, `oneshot ${head}${only}`] as const;
      }),
      ['push --tim', 'oneshot push --time'] as const,
      ['serve --store.kind=m', 'oneshot serve --store.kind=memory'] as const,
      ['run -- oneshot-no-such', 'oneshot run -- oneshot-no-such'] as const,
    ];
    writeFileSync(join(folder.path, 'lines'), lines.map(([line]) => `${line}\n`).join(''));
    writeFileSync(join(folder.path, 'driver.zsh'), DRIVER);
    const { stdout } = await run('zsh', ['-f', join(folder.path, 'driver.zsh'), folder.path], {
      timeout: 120_000,
    });
    expect(readFileSync(join(folder.path, 'ready'), 'utf8')).toBe('ready\n');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual(lines.map(([, become]) => become));
  }, 180_000);

  it('is there once ~/.zshrc has the lines of docs/ingest/cli.md', async ({ skip }) => {
    if (!has('zsh')) throw skip('needs zsh; on Debian: apt-get install zsh');
    using folder = temporaryFolder();
    installCommand(folder.path);
    const page = readFileSync(join(import.meta.dirname, '../../docs/ingest/cli.md'), 'utf8');
    const [, lines = ''] = /^```zsh\n([\s\S]*?)^```$/m.exec(page) ?? [];
    writeFileSync(join(folder.path, '.zshrc'), lines);
    const PATH = `${folder.path}:${process.env['PATH'] ?? ''}`;
    const { stdout, stderr } = await run('zsh', ['-i', '-c', 'print -r -- $_comps[oneshot]'], {
      env: { PATH, HOME: folder.path, ZDOTDIR: folder.path, TERM: 'dumb' },
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('_oneshot\n');
  });
});
