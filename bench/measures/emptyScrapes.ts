import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Folder, bareHttp, ours } from '../candidates.ts';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';
import { interleave, ratio } from '../rounds.ts';
import type { ScrapeLoad } from '../scrapeLoad.ts';
import type { MeasuredServer } from '../server.ts';
import { median } from '../statistics.ts';

const SCRAPERS = 500;
const WARM_UPS = 2;
const INTERVAL_MS = 1_000;
const INTERVAL_SECONDS = 5;

/** As Prometheus 3.5 sends it, by default and with `PrometheusProto` first. */
const ACCEPT = {
  text: 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  protobuf:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3',
} as const;

const run = promisify(execFile);

/** Puts the load on a server; resolves to what came of it, and to what a scrape took of the server's processor, in µs. */
async function load(
  server: MeasuredServer,
  accept: string,
  seconds: number,
  intervalMs: number,
): Promise<ScrapeLoad & { readonly cpuUs: number }> {
  const headers = {
    'User-Agent': 'Prometheus/3.5.3',
    Accept: accept,
    'Accept-Encoding': 'gzip',
    'X-Prometheus-Scrape-Timeout-Seconds': '10',
  };
  const program = join(import.meta.dirname, '..', 'scrapeLoad.ts');
  const args = [server.port, SCRAPERS, seconds, intervalMs, JSON.stringify(headers)].map(String);
  const before = server.cpuMs;
  const { stdout } = await run('taskset', ['-c', '1', process.execPath, program, ...args]);
  const result = JSON.parse(stdout) as ScrapeLoad;
  return { ...result, cpuUs: ((server.cpuMs - before) / result.count) * 1000 };
}

/** What a scrape costs that brings nothing new, of scrapers that keep their connections, beside the same request to bare HTTP. */
export function emptyScrapes(format: keyof typeof ACCEPT, rounds: number): Measure {
  return {
    name: `scrape of nothing, ${SCRAPERS} scrapers, ${format}, gzip: processor time`,
    async run() {
      using folder = new Folder();
      await using server = await ours(folder, [`--scrapers.max=${SCRAPERS}`]);
      await using bare = await bareHttp();
      const takes = {
        o: () => load(server, ACCEPT[format], 2, 0),
        a: () => load(bare, ACCEPT[format], 2, 0),
      };
      await interleave(WARM_UPS, takes);
      const { o, a } = await interleave(rounds, takes);
      const regular = await load(server, ACCEPT[format], INTERVAL_SECONDS, INTERVAL_MS);
      const us = (all: readonly { readonly cpuUs: number }[]) =>
        median(all.map(({ cpuUs }) => cpuUs)).toFixed(0);
      const perSecond = Math.round(median(o.map((each) => each.perSecond))).toLocaleString('en');
      return {
        figures: [
          atMost(
            4,
            ratio(o, a, ({ cpuUs }) => cpuUs),
            'times (a)',
          ),
        ],
        notes:
          `${us(o)} µs; (a) ${us(a)} µs; ${perSecond}/s at most; every ${INTERVAL_MS / 1000} s: ${regular.perSecond.toFixed(0)}/s, ` +
          `median ${regular.p50.toFixed(1)} ms, p99 ${regular.p99.toFixed(0)} ms, ${regular.cpuUs.toFixed(0)} µs`,
      };
    },
  };
}
