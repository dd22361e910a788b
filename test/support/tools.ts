import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A binary that `scripts/tools.sh` fetched, by the folder below `.cache/tools/`; undefined where it is not there. */
export function fetchedTool(folder: string, name: string): string | undefined {
  const binary = fileURLToPath(new URL(`../../.cache/tools/${folder}/${name}`, import.meta.url));
  return isExecutable(binary) ? binary : undefined;
}

/** Every binary of a name in the folders of PATH, in their order. */
export function onPath(name: string): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).filter((binary) => isExecutable(binary));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What to do where a test is skipped for want of an exporter. */
export const HOW_TO_GET_NODE_EXPORTER = 'scripts/tools.sh node-exporter fetches one on a Debian machine';

/** The node exporter that `scripts/tools.sh` fetched. In CI, where nothing may be skipped in silence, a missing one throws. */
export function requireNodeExporter(): string | undefined {
  const binary = fetchedTool('node-exporter-1.11', 'prometheus-node-exporter');
  if (binary === undefined && (process.env['CI'] ?? '') !== '')
    throw new Error(`the node exporter is missing: ${HOW_TO_GET_NODE_EXPORTER}`);
  return binary;
}
