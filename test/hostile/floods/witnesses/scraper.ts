import * as http from 'node:http';
import * as https from 'node:https';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { setTimeout as later } from 'node:timers';
import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import type { ProtobufFamily } from '../../../support/protobufReader.ts';
import { familiesNamed } from './families.ts';
import type { WitnessOptions } from './options.ts';
import { LEGITIMATE, isStillFlooded, requestOptions } from './options.ts';

const gunzip = promisify(gunzipCallback);

export interface ScraperSeen {
  readonly scrapes: number;
  readonly answered: number;
  /** Why the others were not: a status, or an error, with how often. */
  readonly failures: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly largestBytes: number;
  /** The most that the server's own metrics took of a scrape: what each scrape of each scraper has to carry. */
  readonly ownBytesMax: number;
  /** The times of each legitimate event that came, by its number: more than one if it came at different times. */
  readonly times: Readonly<Record<number, readonly number[]>>;
  /** What the server says that it gave up. */
  readonly dropped: number;
  readonly heapUsedMax: number;
}

const LOCAL_ADDRESS = '127.0.0.10';
const EVERY_MS = 1000;
const TIMEOUT_MS = 10_000;
/** It catches up once the flood is over: until some scrapes bring next to no events, or fail, or for so long. */
const CATCH_UP_MS_MAX = 40_000;
const IDLE_SCRAPES = 3;
const FAILED_MAX = 20;
const OWN_BYTES_MAX = 200_000;
const DROPPED = 'events_to_metrics_dropped_total';
const HEAP = 'nodejs_heap_size_used_bytes';
const WANTED = new Set([LEGITIMATE, DROPPED, HEAP]);
const HEADERS = {
  Accept: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'Accept-Encoding': 'gzip',
  'X-Prometheus-Scrape-Timeout-Seconds': TIMEOUT_MS / 1000,
  'User-Agent': 'Prometheus/3.5.3',
};

/** Scrapes once a second as a Prometheus does, timed, and when the flood is over, until it has all. */
export async function scrape(options: WitnessOptions, over: Promise<void>): Promise<ScraperSeen> {
  const { request, Agent } = options.tls ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const failures: Record<string, number> = {};
  const times: Record<number, number[]> = {};
  let [scrapes, answered, slowestMs, largestBytes, dropped, heapUsedMax] = [0, 0, 0, 0, 0, 0];
  let ownBytesMax = 0;
  const once = async (): Promise<number> => {
    scrapes += 1;
    const began = performance.now();
    try {
      const body = await get();
      slowestMs = Math.max(slowestMs, performance.now() - began);
      largestBytes = Math.max(largestBytes, body.length);
      const { found, ownBytes } = familiesNamed(body, WANTED);
      ownBytesMax = Math.max(ownBytesMax, ownBytes);
      for (const family of found) note(family);
      answered += 1;
      return body.length;
    } catch (error) {
      slowestMs = Math.max(slowestMs, performance.now() - began);
      const why = error instanceof Error ? error.message : String(error);
      failures[why] = (failures[why] ?? 0) + 1;
      return Number.POSITIVE_INFINITY;
    }
  };
  const note = ({ name, metrics }: ProtobufFamily): void => {
    if (name === DROPPED) dropped = metrics.reduce((sum, { value }) => sum + (value ?? 0), 0);
    if (name === HEAP) heapUsedMax = Math.max(heapUsedMax, metrics[0]?.value ?? 0);
    if (name !== LEGITIMATE) return;
    for (const { labels, value, time } of metrics) {
      // Ends of pulses are of the same series, and no numbers.
      if (labels.get('row') !== options.row || value !== 1 || time === undefined) continue;
      const seen = (times[Number(labels.get('n'))] ??= []);
      if (!seen.includes(time)) seen.push(time);
    }
  };
  const get = (): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const path = '/metrics?scraper=prometheus-a&timestamps=explicit';
      const sent = request({ ...requestOptions(options, LOCAL_ADDRESS), path, agent, headers: HEADERS });
      const timer = later(() => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
      const parts: Buffer[] = [];
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      sent.on('response', (answer) => {
        answer.on('data', (part: Buffer) => void parts.push(part));
        answer.once('error', fail);
        answer.once('end', () => {
          clearTimeout(timer);
          const whole = Buffer.concat(parts);
          if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
          else resolve(answer.headers['content-encoding'] === 'gzip' ? gunzip(whole) : whole);
        });
      });
      sent.once('error', fail);
      sent.end();
    });

  let began = performance.now();
  do {
    began = performance.now();
    await once();
  } while (await isStillFlooded(over, EVERY_MS - (performance.now() - began)));
  const during = { scrapes, answered, failures: { ...failures }, slowestMs };
  const endsAt = performance.now() + CATCH_UP_MS_MAX;
  let failed = 0;
  for (let idle = 0; idle < IDLE_SCRAPES && failed < FAILED_MAX && performance.now() < endsAt;) {
    const bytes = await once();
    idle = bytes < OWN_BYTES_MAX ? idle + 1 : 0;
    failed = bytes === Number.POSITIVE_INFINITY ? failed + 1 : 0;
    // What the poster still tries comes later.
    await sleep(bytes < OWN_BYTES_MAX || bytes === Number.POSITIVE_INFINITY ? EVERY_MS : 0);
  }
  agent.destroy();
  return { ...during, largestBytes, ownBytesMax, times, dropped, heapUsedMax };
}
