import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { atExit } from '../support/atExit.ts';
import { NetworkNamespaces } from '../support/networkNamespaces.ts';
import type { Row, Scenario } from './scenario.ts';
import { play } from './scenario.ts';

const INSIDE = join(import.meta.dirname, 'inside.ts');
/** What starting, settling and stopping take beyond the scenario's own time. */
const BEYOND_MS_MAX = 600_000;
/** Each scenario that runs at once has some processes, which are to end when this one does. */
const EXIT_LISTENERS_MAX = 100;
let namespaces = 0;

/** Runs one scenario, in two namespaces of its own where it needs a wire. */
export async function run(scenario: Scenario): Promise<Row> {
  process.setMaxListeners(EXIT_LISTENERS_MAX);
  if (scenario.path !== 'wire') return play(scenario);
  namespaces += 1;
  using made = NetworkNamespaces.create(String(namespaces));
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', INSIDE];
  const [command, ...args] = NetworkNamespaces.inside(made.client);
  args.push(...node, made.server, JSON.stringify(scenario));
  const child = spawn(command as string, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: scenario.seconds * 1000 + BEYOND_MS_MAX,
  });
  const calledOff = atExit(() => void child.kill());
  const [output, [code]] = await Promise.all([
    text(child.stdout),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  calledOff();
  if (code !== 0)
    throw new Error(`${scenario.name}: inside the namespace it ended with ${code ?? 'a signal'}: ${output}`);
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Row;
}

/** Runs scenarios, a few at a time, and tells of each as it is done. Resolves to all rows, in the scenarios' order. */
export async function runAll(
  scenarios: readonly Scenario[],
  atOnce: number,
  done: (row: Row, scenario: Scenario) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const queue = [...scenarios.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, scenario] = next;
      const row = await run(scenario).catch((error: unknown) => failed(scenario, error));
      rows[index] = row;
      done(row, scenario);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, () => worker()));
  return rows;
}

/** The row of a scenario that could not be played to its end. */
function failed({ name, format, version }: Scenario, error: unknown): Row {
  const none = {
    strikes: 0,
    events: 0,
    lost: 0,
    twice: 0,
    wrong: 0,
    upGaps: 0,
    unproven: 0,
    doubtful: 0,
    lateMs: 0,
  };
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { fault: name, format, version, ...none, problems: [`it could not be played: ${why}`], log: '' };
}
