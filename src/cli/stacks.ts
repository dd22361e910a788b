import type { Place, SourceMap } from './sourceMap.ts';
import { originsOf } from './sourceMap.ts';

/** Reads a file of text; throws where there is none. */
export type ReadMap = (path: string) => string;

/** As V8 has it: its text is what stands behind `at` in a stack. */
interface CallSite extends NodeJS.CallSite {
  toString(): string;
}

interface Site extends Place {
  readonly file: string;
}

/** There are only so many places where an error is made; but a limit is a limit. */
const ORIGINS_MAX = 10_000;

/**
 * Formats stacks by the maps beside the files of a folder, so that they name sources and not the bundle. To be set as `Error.prepareStackTrace`.
 * Node does the same with --enable-source-maps, but reads the maps when it loads the files, which takes 150 ms and 70 MB of each start; here a map is read when a stack
 * is looked at, and only places are kept.
 */
export function stackFormatter(
  folder: string,
  read: ReadMap,
): (error: Error, sites: readonly CallSite[]) => string {
  const origins = new Map<string, string>();
  const learn = (file: string, sites: readonly Site[]) => {
    const found = originsIn(file, sites, read);
    for (const [index, site] of sites.entries()) {
      const origin = found[index]?.replace(/^(?:\.\.\/)+/, '');
      if (origins.size < ORIGINS_MAX) origins.set(textOf(site), origin ?? textOf(site));
    }
  };
  return (error, callSites) => {
    const sites = callSites.map(siteOf);
    const unknown = sites.filter(
      (site): site is Site => site?.file.startsWith(folder) === true && !origins.has(textOf(site)),
    );
    // Node 20, on which commands run, has no Map.groupBy.
    for (const file of new Set(unknown.map((site) => site.file)))
      learn(
        file,
        unknown.filter((site) => site.file === file),
      );
    const lines = callSites.map((callSite, index) => {
      const site = sites[index];
      const place = site === undefined ? '' : textOf(site);
      return `\n    at ${callSite.toString().replace(place, () => origins.get(place) ?? place)}`;
    });
    return Error.prototype.toString.call(error) + lines.join('');
  };
}

/** By the map of a file. None where it can't be read: a stack of the bundle is better than none. */
function originsIn(file: string, places: readonly Place[], read: ReadMap): readonly (string | undefined)[] {
  try {
    return originsOf(JSON.parse(read(`${file}.map`)) as SourceMap, places);
  } catch {
    return [];
  }
}

function siteOf(callSite: NodeJS.CallSite): Site | undefined {
  const [file, line, column] = [callSite.getFileName(), callSite.getLineNumber(), callSite.getColumnNumber()];
  return file === null || file === undefined || line === null || column === null
    ? undefined
    : { file, line, column };
}

function textOf({ file, line, column }: Site): string {
  return `${file}:${line}:${column}`;
}
