import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../scripts/build/bundle.ts';
import type { NodeOptions } from './server.ts';
import { MeasuredServer, ROOT } from './server.ts';

/** A folder on the disk of the checkout, where a sync is a sync, and not in a /tmp that may be memory. Gone when disposed. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(import.meta.dirname, '../.bench-'));
  #files = 0;

  /** A name that nothing has yet. */
  file(): string {
    this.#files += 1;
    return join(this.path, String(this.#files));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Our server with the default settings, but for its port, its folder, and what a measure says. */
export function ours(
  folder: Folder,
  flags: readonly string[] = [],
  options: NodeOptions & {
    /** The log's folder. */
    readonly path?: string;
    /** A program in place of the sources: what `built` made of them. */
    readonly program?: string;
  } = {},
): Promise<MeasuredServer> {
  const path = options.path ?? folder.file();
  const program = options.program ?? join(options.checkout ?? ROOT, 'src/main.ts');
  const fixed = ['--server.host=127.0.0.1', '--server.port=0', '--log.level=WARN', `--store.path=${path}`];
  return MeasuredServer.start(program, [...fixed, ...flags], options);
}

/** What the package and the image run, built anew; resolves to its program. */
export async function built(folder: Folder): Promise<string> {
  const made = folder.file();
  await bundle(ROOT, join(made, 'dist'));
  for (const file of ['package.json', 'README.md']) cpSync(join(ROOT, file), join(made, file));
  return join(made, 'dist/main.js');
}

/** Floor (e). */
export function hello(): Promise<MeasuredServer> {
  return MeasuredServer.start('bench/floors/hello.mjs', []);
}

/** Floor (a). */
export function bareHttp(): Promise<MeasuredServer> {
  return MeasuredServer.start('bench/floors/bareHttp.ts', []);
}

/** Floor (b). */
export function preparedBody(file: string, contentType: string): Promise<MeasuredServer> {
  return MeasuredServer.start('bench/floors/preparedBody.ts', [file, contentType]);
}

/** Floor (d). */
export function durableHttp(folder: Folder): Promise<MeasuredServer> {
  return MeasuredServer.start('bench/floors/durableHttp.ts', [folder.file()]);
}
