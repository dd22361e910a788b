import type { CollectorName } from './collector.ts';
import type { Fault } from './faults.ts';
import { FAULTS } from './faults.ts';
import type { FormatName } from './format.ts';
import type { Scenario } from './scenario.ts';
import { requireNamespaces } from '../support/networkNamespaces.ts';
import { requireSmallDisk } from './smallDisk.ts';

type Kind = readonly [format: FormatName, version: CollectorName];

const NEWEST: readonly Kind[] = [
  ['timed protobuf', '3.5'],
  ['untimed', '3.5'],
];
const MIXED_IN: readonly Kind[] = [
  ...NEWEST,
  ['timed protobuf', '2.53'],
  ['timed protobuf', '2.42'],
  ['untimed', '2.53'],
  ['untimed', '2.42'],
  ['untimed spread', '3.5'],
  ['timed text', '3.5'],
  ['timed text', 'vm'],
];
const PATHS = ['proxy', 'wire', 'direct', 'two targets'] as const;

/** What this machine can play: filling a disk needs the right to mount one, a wire that to make namespaces. In CI they must be there. */
const RIGHTS = { disk: requireSmallDisk(), wire: requireNamespaces() };
const POSSIBLE: readonly Fault[] = FAULTS.filter(
  ({ needsDisk, path }) => (RIGHTS.disk || needsDisk !== true) && (RIGHTS.wire || path !== 'wire'),
);
/** The names of the others. */
export const IMPOSSIBLE: readonly string[] = FAULTS.filter((fault) => !POSSIBLE.includes(fault)).map(
  ({ name }) => name,
);

/** Each fault alone, on its own path: with the newest Prometheus, or `everywhere`, as mixtures are. */
export function alone(seconds: number, seed: number, everywhere: boolean): Scenario[] {
  const kinds = everywhere
    ? MIXED_IN.filter(([format, version]) => format !== 'untimed spread' && version !== 'vm')
    : NEWEST;
  return POSSIBLE.flatMap(({ name, path }) =>
    kinds.map(([format, version]) => ({
      name,
      faults: [name],
      path,
      format,
      version,
      seconds,
      seed,
    })),
  );
}

/** All faults of a path together, and those that need no path. */
export function mixtures(seconds: number, seed: number): Scenario[] {
  const paths = PATHS.filter((path) => path !== 'wire' || RIGHTS.wire);
  const ofAll = paths.flatMap((path) => MIXED_IN.map((kind) => mixture(path, kind, seconds, seed)));
  const ofTrue = (['untimed', 'untimed spread'] as const).map((format) =>
    mixture('proxy', [format, '3.5'], seconds, seed, true),
  );
  return [...ofAll, ...ofTrue];
}

/** `evident`: only those faults that leave true evidence, so that nothing may be lost or come twice in any format. */
export function mixture(
  path: Scenario['path'],
  [format, version]: Kind,
  seconds: number,
  seed: number,
  evident = false,
): Scenario {
  const faults = POSSIBLE.filter((fault) => fault.path === path || fault.path === 'direct')
    .filter(({ evidence }) => !evident || evidence === 'true')
    // VictoriaMetrics has new samples in memory alone for some seconds, so what it loses when it is killed says nothing of the server.
    .filter(({ killsCollector }) => version !== 'vm' || killsCollector !== true)
    .map(({ name }) => name);
  const name = `mixture, ${path}${evident ? ', true evidence' : ''}`;
  return { name, faults, path, format, version, seconds, seed };
}
