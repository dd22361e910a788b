import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';
import { parseSamples } from '../support/strictParser.ts';
import { FORM, GZIP, MIB, NDJSON, gzipped, send } from './row.ts';
import { complaintsAbout, validScrape } from './runner.ts';
import { SETTINGS, THEMES } from './themes.ts';

/** The first rounds fill what is kept on purpose: the heap's spare room, the tail, ids. */
const ROUNDS_BEFORE = 4;
const ROUNDS = 6;
/**
 * What repeating may add in all, after those, to what is in use. One round sends some 150 MiB. Of several rounds the least counts: between two
 * collections, what is in use goes up and down by 80 MiB.
 */
const IN_USE_GROWTH_MAX = 24 * MIB;
/** The same of what the process holds: over 25 rounds it went up and down by 60 MiB, as the collector and malloc give memory back or keep it. */
const RESIDENT_GROWTH_MAX = 64 * MIB;
const AT_ONCE = 8;
const ANSWER_MS_MAX = 20_000;

/** Bodies that are as large as may be, and that their server must let go. */
const LARGE = [
  () => send('/event', FORM, `a=${'x'.repeat(4000)}&value=x${'1'.repeat(MIB - 5000)}`),
  () => send('/event?partial=true', NDJSON, '{"labels":{"a-b":1}}\n'.repeat(50_000)),
  () => send('/event', NDJSON, gzipped(Buffer.alloc(64 * MIB, 0x20)), GZIP),
  () => send('/event', 'application/json', `{"id":"padded"}${' '.repeat(MIB - 100)}`),
];

test('memory stays flat over rounds of all hostile requests, several at once, and a scrape after them is valid', async (context) => {
  using folder = temporaryFolder();
  const config = join(folder.path, 'config.json');
  writeFileSync(config, JSON.stringify(SETTINGS));
  const server = await ServerProcess.start([
    `--config.file=${config}`,
    `--store.path=${join(folder.path, 'data')}`,
    // What is kept on purpose is there after the first rounds, however much this machine has.
    '--memory.max=64MiB',
  ]);
  try {
    const requests = [
      ...Object.values(THEMES)
        .flat()
        .map(({ bytes }) => bytes),
      ...LARGE,
    ];
    const rounds = [await memoryOf(server)];
    for (let round = 0; round < ROUNDS_BEFORE + ROUNDS; round += 1) {
      await sendAll(server.port, requests);
      rounds.push(await memoryOf(server));
    }
    expect(await complaintsAbout(await validScrape({ port: server.port }))).toBe('');
    const resident = rounds.map((round) => round.resident);
    const inUse = rounds.map((round) => round.inUse);
    const seen = `MiB at the start and after each round, resident: ${inMib(resident)}; in use: ${inMib(inUse)}`;
    await context.annotate(seen);
    const first = (sizes: number[]) => sizes.slice(1, ROUNDS_BEFORE + 1);
    const last = (sizes: number[]) => sizes.slice(-ROUNDS_BEFORE);
    expect(Math.min(...last(inUse)) - Math.min(...first(inUse)), seen).toBeLessThan(IN_USE_GROWTH_MAX);
    expect(Math.min(...last(resident)) - Math.max(...first(resident)), seen).toBeLessThan(
      RESIDENT_GROWTH_MAX,
    );
    expect(server.output()).not.toMatch(/"level":"(?:error|fatal)"/i);
  } finally {
    expect(await server.end('SIGTERM')).toBe(0);
  }
});

/** Sends each request on a connection of its own, and waits until it is answered or its connection ends. */
async function sendAll(port: number, requests: readonly (() => string | Buffer)[]): Promise<void> {
  const left = requests[Symbol.iterator]();
  const worker = async () => {
    for (const bytes of left) {
      const client = await RawClient.connect(port);
      client.send(bytes());
      client.end();
      const timer = setTimeout(() => client.socket.destroy(), ANSWER_MS_MAX);
      await client.response().catch(() => undefined);
      clearTimeout(timer);
      client.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** In bytes: what the process holds, and what of it is in use by objects and buffers. */
async function memoryOf({ url }: ServerProcess): Promise<{ resident: number; inUse: number }> {
  const samples = parseSamples(await (await fetch(`${url}/metrics?peek=true`)).text());
  const valueOf = (name: string) => samples.find((sample) => sample.name === name)?.value ?? Number.NaN;
  return {
    resident: valueOf('process_resident_memory_bytes'),
    inUse: valueOf('nodejs_heap_size_used_bytes') + valueOf('nodejs_external_memory_bytes'),
  };
}

const inMib = (sizes: readonly number[]): string => sizes.map((size) => Math.round(size / MIB)).join(' ');
