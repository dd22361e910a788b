import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PrometheusVersion } from '../support/prometheus.ts';
import {
  findPromtool,
  HOW_TO_GET_PROMETHEUS,
  Prometheus,
  promtoolCheckMetrics,
  requirePrometheus,
} from '../support/prometheus.ts';
import { HOUR_MS, MINUTE_MS, SOON, valueOf } from '../support/prometheusPage.ts';
import { RawClient } from '../support/rawHttp.ts';
import { startServer } from '../support/server.ts';
import type { StaticAnswer } from '../support/staticTarget.ts';
import { serveStatic } from '../support/staticTarget.ts';
import { storedSeries } from '../support/tsdb.ts';
import { until } from '../support/until.ts';
import {
  HOW_TO_GET_VICTORIA_METRICS,
  requireVictoriaMetrics,
  VictoriaMetrics,
} from '../support/victoriaMetrics.ts';

/*
 * Every Accept line that real clients send (test/golden/negotiate/accept.good.txt has them), and one more for each format that none
 * of them prefers: what the server answers over HTTP is kept, served to real servers as it is, and must be taken by them whole.
 */

const versions: readonly PrometheusVersion[] = ['3.5', '2.53', '2.42'];
const binaries = Object.fromEntries(versions.map((version) => [version, requirePrometheus(version)]));
const victoriaBinary = requireVictoriaMetrics();

const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

interface Case {
  /** The heading in the file with the lines, or what the line is for. */
  readonly client: string;
  readonly accept: string;
  readonly contentType: string;
  /** Which of the tests' servers must take it. */
  readonly takenBy: readonly (PrometheusVersion | 'VictoriaMetrics')[];
}

const golden = readFileSync(new URL('../golden/negotiate/accept.good.txt', import.meta.url), 'utf8');

/** The first line under a heading. */
function lineOf(client: string): string {
  const [, line] = golden.split(`# ${client}\n`);
  if (line === undefined) throw new Error(`accept.good.txt has no heading ${client}`);
  return line.slice(0, line.indexOf('\n'));
}

const PREFERS_PROTOBUF =
  'Prometheus 3.5 with scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0, PrometheusText0.0.4]';

const real = (client: string, contentType: string, takenBy: Case['takenBy']): Case => ({
  client,
  accept: lineOf(client),
  contentType,
  takenBy,
});

const CASES: readonly Case[] = [
  real('Prometheus 2.42', OPENMETRICS, ['2.42', '3.5']),
  real('Prometheus 2.42 with native-histograms', PROTOBUF, ['2.42', '3.5']),
  real('Prometheus 2.53', OPENMETRICS, ['2.53', '3.5']),
  real('Prometheus 3.5', `${OPENMETRICS}; escaping=allow-utf-8`, ['3.5']),
  real(PREFERS_PROTOBUF, PROTOBUF, ['3.5', '2.53']),
  real('VictoriaMetrics', TEXT, ['VictoriaMetrics', '3.5', '2.53', '2.42']),
  {
    client: 'OpenMetrics 0.0.1',
    accept: 'application/openmetrics-text;version=0.0.1',
    contentType: 'application/openmetrics-text; version=0.0.1; charset=utf-8',
    takenBy: ['3.5', '2.53', '2.42'],
  },
  {
    client: 'text 1.0.0',
    accept: 'text/plain;version=1.0.0;escaping=allow-utf-8',
    contentType: 'text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
    takenBy: ['3.5'],
  },
];

const MESSAGE = 'a "b" \\ c\nd, ü {x="y"} # 1';
const at = Date.now() - 3 * MINUTE_MS;
const STALE_BYTES = Buffer.from('020000000000f07f', 'hex');

interface Captured extends StaticAnswer {
  readonly vary: string;
}

/** What the server answers to each line, asked with gzip as Prometheus asks, byte for byte. */
async function capture(): Promise<readonly Captured[]> {
  await using server = await startServer({ 'event.names': 'utf8' });
  const form = new URLSearchParams({ type: 'deploy', 'build.id': '7', message: MESSAGE, value: '2.5' });
  form.set('__timestamp__', String(at));
  expect((await fetch(`${server.url}/event`, { method: 'POST', body: form })).status).toBe(200);
  const get = async (path: string, accept: string) => {
    const client = await RawClient.connect(server.port);
    client.get(path, {
      Accept: accept,
      'Accept-Encoding': 'gzip',
      'X-Prometheus-Scrape-Timeout-Seconds': '1',
    });
    const response = await client.response();
    client.end();
    return response;
  };
  // Ends of pulses are written once somebody has come who shows them.
  const protobuf = lineOf(PREFERS_PROTOBUF);
  await get('/metrics?scraper=first&timestamps=explicit', protobuf);
  await until(async () => {
    const { raw } = await get('/metrics?scraper=second&timestamps=explicit&peek=true', protobuf);
    return gunzipSync(raw).includes(STALE_BYTES);
  }, SOON);
  const captured: Captured[] = [];
  for (const [i, { accept }] of CASES.entries()) {
    const { status, head, raw } = await get(`/metrics?scraper=case-${i}&timestamps=explicit`, accept);
    const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
    expect(status).toBe(200);
    captured.push({
      contentType: header('content-type'),
      contentEncoding: header('content-encoding'),
      vary: header('vary'),
      body: Buffer.from(raw),
    });
  }
  return captured;
}

let answers: readonly Captured[] = [];

beforeAll(async () => {
  answers = await capture();
});

const jobOf = (i: number) => `case-${i}`;

test.each(CASES.map((each, i) => ({ ...each, i })))(
  '$client is answered in its format, gzipped, with the headers that say so',
  async ({ i, contentType }) => {
    const answer = answers[i];
    expect(answer).toMatchObject({ contentType, contentEncoding: 'gzip', vary: 'Accept, Accept-Encoding' });
    const body = gunzipSync(answer?.body ?? '');
    expect(body.includes('events_to_metrics_events_total')).toBe(true);
  },
);

/** The jobs that scrape what a server must take, each a case of its own. */
const jobsFor = (server: Case['takenBy'][number], address: string) =>
  CASES.flatMap(({ takenBy }, i) =>
    takenBy.includes(server)
      ? [{ job_name: jobOf(i), metrics_path: `/${jobOf(i)}`, honor_timestamps: true, targets: [address] }]
      : [],
  );

const served = async () =>
  serveStatic(new Map(answers.map((answer, i): [string, StaticAnswer] => [`/${jobOf(i)}`, answer])));

describe.concurrent.each(versions)('Prometheus %s takes the whole body', (version) => {
  test('of each, with the event at its own time, and the end of its pulse where the format has one', async ({
    skip,
  }) => {
    const binary = binaries[version];
    if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    await using target = await served();
    const scrapeConfigs = jobsFor(version, target.address);
    await using prometheus = new Prometheus({ binary, scrapeConfigs });
    await prometheus.start();
    await until(async () => (await valueOf(prometheus, 'count(up)')) === scrapeConfigs.length, SOON);
    const targets = await prometheus.targets();
    expect(targets.map(({ health, lastError }) => [health, lastError])).toEqual(
      targets.map(() => ['up', '']),
    );
    const all = await storedSeries(prometheus.url, 'events_to_metrics', at - HOUR_MS, Date.now());
    for (const [i, { client, contentType, takenBy }] of CASES.entries()) {
      if (!takenBy.includes(version)) continue;
      const found = all.filter(({ labels }) => labels['job'] === jobOf(i));
      const keepsNames = contentType.endsWith('allow-utf-8');
      const names = keepsNames
        ? { 'build.id': '7' }
        : { build_id: '7', escaped_from: 'events_to_metrics{"build.id",message,type}' };
      expect({ client, found }).toEqual({
        client,
        found: [
          {
            labels: expect.objectContaining({ type: 'deploy', message: MESSAGE, ...names }),
            samples: [expect.objectContaining({ at, value: 2.5 })],
            endsAt: contentType === PROTOBUF ? [at + MINUTE_MS] : [],
          },
        ],
      });
      expect(await valueOf(prometheus, `events_to_metrics_events_total{job="${jobOf(i)}"}`)).toBe(1);
    }
  });
});

test('VictoriaMetrics takes the whole body of its own, with the event at its own time', async ({ skip }) => {
  if (victoriaBinary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
  await using target = await served();
  const [job, ...others] = jobsFor('VictoriaMetrics', target.address).map(({ targets, ...rest }) => ({
    ...rest,
    static_configs: [{ targets }],
  }));
  expect(others).toEqual([]);
  const config = `global: { scrape_interval: 1s }\nscrape_configs: ${JSON.stringify([job])}\n`;
  await using victoria = new VictoriaMetrics({ binary: victoriaBinary, config });
  await victoria.start();
  await expect.poll(() => victoria.exported('events_to_metrics'), SOON).toHaveLength(1);
  const [series] = await victoria.exported('events_to_metrics');
  expect(series?.metric).toMatchObject({ type: 'deploy', message: MESSAGE, build_id: '7' });
  expect(series?.samples[0]).toEqual({ at, value: 2.5 });
  expect((await victoria.exported('up'))[0]?.samples.map(({ value }) => value)).not.toContain(0);
  expect(await victoria.exported('events_to_metrics_events_total')).toHaveLength(1);
});

test('promtool reads the text body, and complains only of names that were taken over: of the replaced server, and of a library', async ({
  skip,
}) => {
  if (findPromtool() === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
  const i = CASES.findIndex(({ contentType }) => contentType === TEXT);
  const { code, output } = await promtoolCheckMetrics(gunzipSync(answers[i]?.body ?? '').toString());
  // 3: it was read, and a name breaks a convention.
  expect(code).toBe(3);
  const complaints = output.trim().split('\n');
  const taken = /^(?:events_to_metrics_event_count|nodejs_active_\w+_total) /;
  expect(complaints.filter((complaint) => !taken.test(complaint))).toEqual([]);
});

/** Each real client, and how it is made to send what stands under a heading. */
const CLIENTS: readonly (readonly [
  string,
  PrometheusVersion,
  readonly string[],
  Readonly<Record<string, unknown>>,
])[] = [
  ['Prometheus 2.42', '2.42', [], {}],
  ['Prometheus 2.42 with native-histograms', '2.42', ['--enable-feature=native-histograms'], {}],
  ['Prometheus 2.53', '2.53', [], {}],
  ['Prometheus 3.5', '3.5', [], {}],
  [
    PREFERS_PROTOBUF,
    '3.5',
    [],
    { scrape_protocols: ['PrometheusProto', 'OpenMetricsText1.0.0', 'PrometheusText0.0.4'] },
  ],
];

// That of VictoriaMetrics is in victoria-metrics.test.ts.
test('real clients send the very lines', async ({ skip }) => {
  const missing = versions.some((version) => binaries[version] === undefined);
  if (missing) throw skip(HOW_TO_GET_PROMETHEUS);
  const sent = async ([, version, flags, settings]: (typeof CLIENTS)[number]) => {
    await using target = await serveStatic(new Map([['/metrics', { contentType: TEXT, body: 'a 1\n' }]]));
    const scrapeConfigs = [{ job_name: 'a', targets: [target.address], ...settings }];
    await using prometheus = new Prometheus({ binary: binaries[version] ?? '', flags, scrapeConfigs });
    await prometheus.start();
    await until(() => target.asked.has('/metrics'), SOON);
    const { accept, 'accept-encoding': encoding } = target.asked.get('/metrics') ?? {};
    return { accept, encoding };
  };
  expect(await Promise.all(CLIENTS.map((client) => sent(client)))).toEqual(
    CLIENTS.map(([client]) => ({ accept: lineOf(client), encoding: 'gzip' })),
  );
});
