import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atExit } from '../../support/atExit.ts';
import { freePort } from '../../support/freePort.ts';
import { rmSync } from 'node:fs';
import { Child } from './child.ts';
import type { Flood } from './flood.ts';
import { latestSeconds } from './flood.ts';
import { putLog } from './fullLogs.ts';
import { FLOODS } from './kinds.ts';
import { watchMemory } from './memory.ts';
import type { Restart, Row } from './row.ts';
import { Target } from './target.ts';
import type { Sent } from './tally.ts';
import type { HealthSeen } from './witnesses/health.ts';
import type { WitnessOptions } from './witnesses/options.ts';
import type { PosterSeen } from './witnesses/poster.ts';
import type { ScraperSeen } from './witnesses/scraper.ts';

export interface Playing {
  readonly seconds: number;
  readonly seed: number;
  readonly heapMebibytes: number | undefined;
  readonly checkout: string;
  readonly isLarge: boolean;
}

const RESTARTS = 3;
/** A log of 4 GB that nobody counted before is read whole. */
const READY_MS_MAX = 300_000;
/** So long is a server looked at after it has become ready. */
const SETTLE_MS = 1_000;
/** Legitimate clients are there before the flood is. */
const BEFORE_MS = 2_500;
/** What a flood takes to begin and to end, beside its time. */
const FLOODER_MS_MORE = 60_000;
const WITNESS_MS_MAX = 300_000;
const NOTHING_SENT: Sent = { requests: 0, bytes: 0, answers: {}, broken: 0 };

/** Plays one flood: a server, legitimate clients, the flood; then the death of the server, and starts on what is left. */
export async function play(flood: Flood, playing: Playing): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'floods-'));
  const calledOff = atExit(() => rmSync(folder, { recursive: true, force: true }));
  try {
    return await playIn(folder, flood, playing);
  } finally {
    await rm(folder, { recursive: true, force: true });
    calledOff();
  }
}

async function playIn(folder: string, flood: Flood, playing: Playing): Promise<Row> {
  const { kind, name, setting = {} } = flood;
  const { seconds, seed, isLarge, checkout } = playing;
  const { flags = [], files = {}, user, entries } = setting;
  const store = join(folder, 'store');
  const uncounted = (isLarge ? entries?.large : entries?.usual) ?? 0;
  if (uncounted === 0) await mkdir(store);
  else await putLog(checkout, store, uncounted);
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  const port = await freePort();
  const all = [
    '--server.host=127.0.0.1',
    // What older servers take by default: the floods are the same for all.
    '--event.labelValueMax=4KiB',
    '--event.labelsMax=64',
    `--server.port=${port}`,
    `--store.path=${store}`,
    '--log.level=ERROR',
    ...flags.map((flag) => flag.replace('$FOLDER', folder)),
  ];
  const start = (): Target => new Target({ ...playing, flags: all });
  const tls = 'server.pem' in files;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  let target = start();
  const row = `${kind}-${process.pid}-${Date.now()}`;
  const witness: WitnessOptions = { port, pid: target.pid, tls, row, ...(user !== undefined && { user }) };
  const told = JSON.stringify(witness);
  const first = target;
  const firstReadyMs = await target.ready(url, READY_MS_MAX);
  if (firstReadyMs === undefined) {
    await target.kill();
    throw new Error(`the server was not ready before the flood: ${target.why}`);
  }
  const scraper = new Child<ScraperSeen>('witness.ts', ['scraper', told], WITNESS_MS_MAX);
  const poster = new Child<PosterSeen>('witness.ts', ['poster', told], WITNESS_MS_MAX);
  const health = new Child<HealthSeen>('witness.ts', ['health', told], WITNESS_MS_MAX);
  await Promise.all([scraper.started, poster.started, health.started]);
  if (target.end === undefined) await sleep(BEFORE_MS);

  const stopWatching = watchMemory(target);
  let sent = NOTHING_SENT;
  if (target.end === undefined) {
    const index = String(FLOODS.findIndex((other) => other.name === name && other.kind === kind));
    const args = [index, String(port), String(seconds), String(seed)];
    const flooder = new Child<Sent>(
      'flooder.ts',
      args,
      latestSeconds(flood, seconds) * 1000 + FLOODER_MS_MORE,
    );
    void first.exited.then(() => flooder.tell());
    sent = await flooder.report;
  }
  const memory = stopWatching();
  const died = first.end === undefined ? undefined : `${first.why} after ${Math.round(memory.seconds)} s`;

  const restarts: Restart[] = [];
  const restart = async (): Promise<void> => {
    target = start();
    const watched = watchMemory(target);
    const readyMs = await target.ready(url, READY_MS_MAX);
    await Promise.race([target.exited, sleep(SETTLE_MS)]);
    const why = target.end === undefined ? '' : target.why;
    restarts.push({ readyMs: why === '' ? readyMs : undefined, most: watched().most, why });
    if (restarts.at(-1)?.readyMs === undefined) await target.kill();
  };
  health.tell();
  poster.tell();
  scraper.tell();
  // Those who wait go on with the server that takes the place of the one that died.
  if (died !== undefined) await restart();
  const [scraperSeen, posterSeen, healthSeen] = await Promise.all([
    scraper.report,
    poster.report,
    health.report,
  ]);
  await target.kill();
  while (restarts.length < RESTARTS) {
    await restart();
    if (restarts.length < RESTARTS) await target.kill();
  }
  const again = new Child<ScraperSeen>('witness.ts', ['scraper', told], WITNESS_MS_MAX);
  await again.started;
  again.tell();
  const afterwards = await again.report;
  await target.kill();
  return {
    kind,
    name,
    sent,
    memory,
    health: healthSeen,
    scraper: scraperSeen,
    poster: posterSeen,
    died,
    restarts,
    afterwards,
    firstReadyMs,
    uncounted,
  };
}
