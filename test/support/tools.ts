import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** What to do where a test is skipped for want of an exporter. */
export const HOW_TO_GET_NODE_EXPORTER = 'scripts/tools.sh node-exporter fetches one on a Debian machine';

/** The node exporter that `scripts/tools.sh` fetched. In CI, where nothing may be skipped in silence, a missing one throws. */
export function requireNodeExporter(): string | undefined {
  const binary = join(import.meta.dirname, '../../.cache/tools/node-exporter-1.11/prometheus-node-exporter');
  try {
    accessSync(binary, constants.X_OK);
    return binary;
  } catch {
    if ((process.env['CI'] ?? '') !== '')
      throw new Error(`the node exporter is missing: ${HOW_TO_GET_NODE_EXPORTER}`);
    return undefined;
  }
}
