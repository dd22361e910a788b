/**
 * Plays one scenario in the clients' namespace, and writes its row as the last line of its output:
 *
 *     ip netns exec <clients' namespace> node test/faults/inside.ts <server's namespace> <scenario as JSON>
 */
import { exitOnSignals } from '../support/atExit.ts';
import type { Scenario } from './scenario.ts';
import { play } from './scenario.ts';

exitOnSignals();
const [serverNamespace, scenario] = process.argv.slice(2);
if (serverNamespace === undefined || scenario === undefined)
  throw new Error('needs a namespace and a scenario');
const row = await play(JSON.parse(scenario) as Scenario, serverNamespace);
// Outright: Node was seen to wait for ever for sockets that were reset, when it ends by itself (`CleanupHandles`).
process.stdout.write(`\n${JSON.stringify(row)}\n`, () => process.exit());
