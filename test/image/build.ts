import { cpSync, globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, matchesGlob } from 'node:path';
import { run } from '../chart/support/helm.ts';
import type { Instruction } from './dockerfile.ts';
import { ROOT, said, stages } from './dockerfile.ts';

/**
 * What Google's distroless image `cc` for Debian 12 is made of: these packages of Debian, unpacked.
 * Source: https://github.com/GoogleContainerTools/distroless/tree/main/cc
 */
const BASE_PACKAGES =
  'base-files netbase tzdata libc6 libssl3 libgcc-s1 libgomp1 libstdc++6 gcc-12-base'.split(' ');

/** By which `scripts/tools.sh` fetches Debian 12's packages. */
export const APT_CONFIG = join(ROOT, '.cache/apt/bookworm/apt.conf');

/**
 * The image's root, made by the Dockerfile's own instructions, without an engine. Two bases are stood in for: distroless by
 * the packages that it is made of, and the Node image by the npm package of the same Node.
 */
export class BareRoot implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'image-'));
  readonly env: Record<string, string> = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  };
  readonly entrypoint: readonly string[];
  readonly healthcheck: readonly string[];
  readonly user: string;

  constructor() {
    const final = stages().at(-1);
    if (final === undefined) throw new Error('the Dockerfile has no stages');
    const command = (name: string) =>
      JSON.parse(said(final, name).at(-1)?.replace(/^CMD /, '') ?? '') as string[];
    this.entrypoint = command('ENTRYPOINT');
    this.healthcheck = command('HEALTHCHECK');
    this.user = said(final, 'USER').at(-1) ?? '';
    for (const [, name = '', value = ''] of said(final, 'ENV')
      .join(' ')
      .matchAll(/(\w+)=(\S+)/g))
      this.env[name] = value;
  }

  /** The root of the last stage. */
  get root(): string {
    return this.#stage('final');
  }

  async build(): Promise<void> {
    await this.#base();
    for (const stage of stages()) {
      const root = this.#stage(stage.name ?? 'final');
      mkdirSync(root, { recursive: true });
      if (stage.name === 'node') this.#node(root);
      let workdir = '/';
      for (const instruction of stage.instructions) {
        if (instruction.name === 'WORKDIR')
          mkdirSync(join(root, (workdir = instruction.rest)), { recursive: true });
        if (instruction.name === 'COPY') await this.#copy(instruction, root, workdir);
        // The builder's own files don't matter: what it makes is plain JavaScript.
        if (instruction.name === 'RUN') await succeed('sh', ['-ec', instruction.rest], join(root, workdir));
      }
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #stage(name: string): string {
    return join(this.folder, name);
  }

  async #base(): Promise<void> {
    const packages = this.#stage('packages');
    mkdirSync(packages);
    mkdirSync(this.root);
    await succeed('apt-get', ['-c', APT_CONFIG, '-qq', 'update'], packages);
    await succeed('apt-get', ['-c', APT_CONFIG, '-qq', 'download', ...BASE_PACKAGES], packages);
    for (const file of globSync('*.deb', { cwd: packages })) {
      // As in distroless, the folders at the top are what the first package makes them.
      await succeed(
        'sh',
        ['-ec', `dpkg-deb --fsys-tarfile "${file}" | tar -x --keep-directory-symlink -C "${this.root}"`],
        packages,
      );
    }
  }

  #node(root: string): void {
    mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
    cpSync(process.execPath, join(root, 'usr/local/bin/node'), { dereference: true });
  }

  /** As COPY does: a folder's content, or files into a folder. */
  async #copy({ flags, rest }: Instruction, root: string, workdir: string): Promise<void> {
    const words = rest.split(/\s+/);
    const to = words.pop() ?? '';
    const target = to.startsWith('/') ? join(root, to) : join(root, workdir, to);
    const from = flags['from'] === undefined ? ROOT : this.#stage(flags['from']);
    for (const word of words) {
      const source = join(from, word);
      const intoFolder = words.length > 1 || to.endsWith('/');
      const place = intoFolder && !lstatSync(source).isDirectory() ? join(target, basename(word)) : target;
      mkdirSync(dirname(place), { recursive: true });
      const filter = (path: string) =>
        flags['from'] !== undefined || !this.#ignored(path.slice(ROOT.length + 1));
      cpSync(source, place, { recursive: true, filter });
      if (flags['chown'] !== undefined) await succeed('chown', ['-R', flags['chown'], place], root);
    }
  }

  #ignored(path: string): boolean {
    const last = readFileSync(join(ROOT, '.dockerignore'), 'utf8').trim().split('\n').at(-1) ?? '';
    return matchesGlob(path, last);
  }
}

async function succeed(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await run(program, args, { cwd });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
