/**
 * Plays one scenario in the clients' namespace, and writes its row as the last line of its output:
 *
 *     ip netns exec <clients' namespace> node test/faults/inside.ts <server's namespace> <scenario as JSON>
 */
import type { Scenario } from './scenario.ts';
import { play } from './scenario.ts';

const [serverNamespace, scenario] = process.argv.slice(2);
if (serverNamespace === undefined || scenario === undefined)
  throw new Error('needs a namespace and a scenario');
const row = await play(JSON.parse(scenario) as Scenario, serverNamespace);
process.stdout.write(`\n${JSON.stringify(row)}\n`);
