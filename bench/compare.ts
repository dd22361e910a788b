/**
 * Puts any other server beside ours: the same number of connections, turn by turn. The request script is a JSON file of what to post to
 * the other one: `{"path": "/metrics/job/x", "body": "a 1\n", "type": "text/plain"}`.
 *
 *     npm run bench:compare -- --url http://127.0.0.1:9091 --script pushgateway.json
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Folder, ours } from './candidates.ts';
import { histogramRows, together } from './histogram.ts';
import type { Load, Throughput } from './load.ts';
import { post } from './load.ts';
import { interleave, ratio } from './rounds.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    script: { type: 'string' },
    connections: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
  },
});
if (values.url === undefined || values.script === undefined)
  throw new Error('needs --url of the other server and --script with the request to make of it');

interface Script {
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
}

const { path, body, type = 'text/plain' } = JSON.parse(readFileSync(values.script, 'utf8')) as Script;
const effort = { connections: Number(values.connections), seconds: Number(values.seconds) };
const theirs: Load = { ...effort, path, ...(body !== undefined && { body: { text: body, type } }) };
const own: Load = { ...effort, path: '/event?type=deploy&service=api&version=1.2.3' };

using folder = new Folder();
await using server = await ours(folder);
const other = values.url;
const takes = {
  ours: () => post(server.url, own, folder),
  theirs: () => post(other, theirs, folder),
};
await interleave(1, takes);
const taken = await interleave(Number(values.rounds), takes);
for (const [name, all] of Object.entries(taken)) console.log(`${name.padEnd(8)}${line(all)}`);
console.log(
  histogramRows('latency', {
    ours: together(taken.ours.map(({ buckets }) => buckets)),
    theirs: together(taken.theirs.map(({ buckets }) => buckets)),
  }).join('\n'),
);
console.log(`ours of theirs: ${ratio(taken.ours, taken.theirs, ({ perSecond }) => perSecond).toFixed(2)}`);

function line(all: readonly Throughput[]): string {
  const of = (read: (one: Throughput) => number) => median(all.map(read));
  const failed = all.reduce((sum, one) => sum + one.failed, 0);
  return `${of((one) => one.perSecond).toFixed(0)}/s, p50 ${of((one) => one.p50).toFixed(2)} ms, p99 ${of((one) => one.p99).toFixed(2)} ms, ${failed} failed`;
}
