import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { OutputChunk, Plugin, RolldownOutput } from 'rolldown';
import { rolldown } from 'rolldown';
import { licencesOf } from './licences.ts';

/** The commands run on Node 20, which lacks `using`. */
const TARGET = 'node20';
const EXECUTABLE = 0o755;

/** Where the texts of the licences are. */
export const LICENCES = 'THIRD-PARTY-LICENSES.txt';

/** Bundles the sources of a checkout, with all that they import, into a folder. What was there goes. */
export async function bundle(root: string, into: string): Promise<void> {
  rmSync(into, { recursive: true, force: true });
  const source = (path: string) => join(root, 'src', path);
  const outputs = [
    await write(root, into, { bin: source('bin.ts'), main: source('main.ts') }, [
      // Commands load the first, and the server both.
      { name: 'cli', test: /\/src\/cli\/oneshot\.ts$/ },
      { name: 'server', test: /\/src\/cli\/(?:serve|checkStart)\.ts$/ },
    ]),
    // A file of its own, since a thread begins with one.
    await write(root, into, { passwordWorker: source('access/passwordWorker.ts') }, []),
  ];
  chmodSync(join(into, 'bin.js'), EXECUTABLE);
  const modules = outputs.flatMap(({ output }) => output.filter(isChunk).flatMap((chunk) => chunk.moduleIds));
  writeFileSync(join(into, LICENCES), licencesOf(modules));
}

async function write(
  root: string,
  dir: string,
  input: Readonly<Record<string, string>>,
  groups: readonly { readonly name: string; readonly test: RegExp }[],
): Promise<RolldownOutput> {
  await using build = await rolldown({
    input,
    platform: 'node',
    transform: { target: TARGET },
    plugins: [KEPT_IN_PLACE],
    // Most of them are never called.
    optimization: { pifeForModuleWrappers: false },
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  return await build.write({
    dir,
    format: 'esm',
    minify: true,
    // A source with a character beyond Latin-1 takes V8 twice the memory.
    charset: 'ascii',
    sourcemap: true,
    // A stack needs names and lines. With the sources in them the maps would be three times the package.
    sourcemapExcludeSources: true,
    // As seen from dist in the package, wherever it is made.
    sourcemapPathTransform: (path, map) => join('..', relative(root, resolve(dirname(map), path))),
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [...groups] },
  });
}

/**
 * What a request needs must not depend on a file that a later version may have replaced meanwhile, so a package that is loaded for a request
 * goes into the file that loads it, and only waits there. Rolldown would make it a file of its own.
 */
const KEPT_IN_PLACE: Plugin = {
  name: 'kept in place',
  transform: {
    filter: { id: /\/src\// },
    handler: (code) => ({
      code: code.replaceAll(/\bimport\(('[^'.][^']*')\)/g, 'Promise.resolve({ default: require($1) })'),
      map: null,
    }),
  },
};

function isChunk(file: RolldownOutput['output'][number]): file is OutputChunk {
  return file.type === 'chunk';
}
