import type { CollectorName } from './collector.ts';
import type { Fault } from './faults.ts';
import { FAULTS } from './faults.ts';
import type { FormatName } from './format.ts';
import type { Scenario } from './scenario.ts';
import { requireSmallDisk } from './smallDisk.ts';

type Kind = readonly [format: FormatName, version: CollectorName];

/** What is promised under all faults is tried with every Prometheus, the rest with the newest. */
const ALONE_IN: readonly Kind[] = [
  ['timed protobuf', '3.5'],
  ['timed protobuf', '2.53'],
  ['timed protobuf', '2.42'],
  ['untimed', '3.5'],
];
const MIXED_IN: readonly Kind[] = [
  ...ALONE_IN,
  ['untimed', '2.53'],
  ['untimed', '2.42'],
  ['untimed spread', '3.5'],
  ['timed text', '3.5'],
  ['timed text', 'vm'],
];
const PATHS = ['proxy', 'wire', 'direct'] as const;

/** Each fault alone, on its own path. */
export function alone(seconds: number, seed: number): Scenario[] {
  return possible().flatMap(({ name, path }) =>
    ALONE_IN.map(([format, version]) => ({
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
  const ofAll = PATHS.flatMap((path) => MIXED_IN.map((kind) => mixture(path, kind, seconds, seed)));
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
  const faults = possible()
    .filter((fault) => fault.path === path || fault.path === 'direct')
    .filter(({ evidence }) => !evident || evidence === 'true')
    // VictoriaMetrics has new samples in memory alone for some seconds, so what it loses when it is killed says nothing of the server.
    .filter(({ killsCollector }) => version !== 'vm' || killsCollector !== true)
    .map(({ name }) => name);
  const name = `mixture, ${path}${evident ? ', true evidence' : ''}`;
  return { name, faults, path, format, version, seconds, seed };
}

/** Those that this machine can play: filling a disk needs the right to mount one. */
function possible(): readonly Fault[] {
  return requireSmallDisk() ? FAULTS : FAULTS.filter(({ needsDisk }) => needsDisk !== true);
}
