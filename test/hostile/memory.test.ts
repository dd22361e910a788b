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
const ROUNDS_BEFORE = 3;
const ROUNDS = 6;
/** What repeating may add in all, after those. One round sends some 150 MiB. */
const GROWTH_MAX = 48 * MIB;
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
    const sizes: number[] = [await residentBytes(server)];
    for (let round = 0; round < ROUNDS_BEFORE + ROUNDS; round += 1) {
      await sendAll(server.port, requests);
      sizes.push(await residentBytes(server));
    }
    expect(await complaintsAbout(await validScrape({ port: server.port }))).toBe('');
    const inMib = sizes.map((size) => Math.round(size / MIB));
    await context.annotate(`resident MiB at the start and after each round: ${inMib.join(' ')}`);
    const [before = 0] = sizes.slice(ROUNDS_BEFORE);
    // The collector's mood: the least of the last three counts.
    expect(Math.min(...sizes.slice(-3)) - before, `resident MiB: ${inMib.join(' ')}`).toBeLessThan(
      GROWTH_MAX,
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

async function residentBytes({ url }: ServerProcess): Promise<number> {
  const samples = parseSamples(await (await fetch(`${url}/metrics?peek=true`)).text());
  return samples.find(({ name }) => name === 'process_resident_memory_bytes')?.value ?? Number.NaN;
}
