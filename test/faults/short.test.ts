import { expect, test } from 'vitest';
import { HOW_TO_GET_NAMESPACES, requireNamespaces } from '../support/networkNamespaces.ts';
import { missing } from './collector.ts';
import { run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { mixture } from './scenarios.ts';
import { tableHead, tableLine } from './table.ts';

/** The short version of `npm run test:faults`: about three minutes, since the scenarios mostly wait and so run side by side. */
const SECONDS = 120;
const SEED = 7;
/** A fifth of what is posted while the server is up all the time. */
const EVENTS_MIN = SECONDS * 12;

const SCENARIOS: readonly Scenario[] = [
  mixture('proxy', ['timed protobuf', '3.5'], SECONDS, SEED),
  mixture('proxy', ['timed protobuf', '2.53'], SECONDS, SEED),
  mixture('proxy', ['timed text', 'vm'], SECONDS, SEED),
  mixture('proxy', ['untimed', '3.5'], SECONDS, SEED),
  mixture('proxy', ['untimed', '3.5'], SECONDS, SEED, true),
  mixture('wire', ['timed protobuf', '3.5'], SECONDS, SEED),
  mixture('wire', ['untimed', '2.53'], SECONDS, SEED),
  mixture('direct', ['timed protobuf', '2.42'], SECONDS, SEED),
  mixture('direct', ['untimed spread', '3.5'], SECONDS, SEED),
  mixture('two targets', ['timed protobuf', '3.5'], SECONDS, SEED),
  mixture('two targets', ['timed text', 'vm'], SECONDS, SEED),
];

const HAS_NAMESPACES = requireNamespaces();
console.log(tableHead());

test.concurrent.for(SCENARIOS)(
  'G2, G3, G4, G8: $name, $format, $version: nothing is lost, twice or at a wrong time that is not counted',
  async (scenario, { skip }) => {
    const why = missing(scenario.version);
    if (why !== undefined) skip(why);
    if (scenario.path === 'wire' && !HAS_NAMESPACES) skip(HOW_TO_GET_NAMESPACES);
    const row = await run(scenario);
    console.log(tableLine(row));
    expect(row.problems, row.log).toEqual([]);
    expect(row.events).toBeGreaterThan(EVENTS_MIN);
  },
);
