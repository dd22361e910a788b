import { describe, expect, test } from 'vitest';
import { configOf, flagsOf, HOUR_MS, MINUTE_MS, postEvent, SOON } from '../support/prometheusPage.ts';
import { startServer } from '../support/server.ts';
import { serveStatic } from '../support/staticTarget.ts';
import {
  HOW_TO_GET_VICTORIA_METRICS,
  requireVictoriaMetrics,
  VictoriaMetrics,
} from '../support/victoriaMetrics.ts';

/*
 * What docs/operate/prometheus.md says of VictoriaMetrics, with its configurations as they stand there and an interval of one second
 * in place of the default; and the facts about its scrapes on which the design stands.
 */

const binary = requireVictoriaMetrics();
const EVERY_SECOND = 'global:\n  scrape_interval: 1s\n';

/** The samples of the only series that a selector matches, as [time, value]; none where there is no such series yet. */
async function samplesOf(victoria: VictoriaMetrics, match: string): Promise<number[][]> {
  const [series, ...others] = await victoria.exported(match);
  expect(others).toEqual([]);
  return (series?.samples ?? []).map(({ at, value }) => [at, value]);
}

/** The times of its first scrapes, once there are three: `up` may be found later than what was scraped with it. */
async function firstScrapes(victoria: VictoriaMetrics): Promise<number[]> {
  await expect.poll(async () => (await samplesOf(victoria, 'up')).length, SOON).toBeGreaterThan(2);
  return (await samplesOf(victoria, 'up')).map(([at = 0]) => at);
}

/** What it writes of a scrape by itself stands at that scrape's time, or a millisecond or two behind it. */
function expectAt(time = Number.NaN, scrape = Number.NaN): void {
  expect(time - scrape).toBeGreaterThanOrEqual(0);
  expect(time - scrape).toBeLessThanOrEqual(5);
}

const valuesOf = async (victoria: VictoriaMetrics, promql: string, time: number) =>
  (await victoria.query(promql, time)).map(({ value }) => value);

describe('with the configurations of the page', () => {
  test('G8: VictoriaMetrics stores each event at its own time, and ends it at the scrape after the one that brought it', async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    await using server = await startServer();
    const config = EVERY_SECOND + configOf('victoriametrics', server);
    await using victoria = new VictoriaMetrics({ binary, config, flags: flagsOf('victoriametrics-flags') });
    const at = Date.now() - MINUTE_MS;
    await postEvent(server, `n=a&job=ci&value=1&__timestamp__=${at}`);
    await postEvent(server, `n=a&job=ci&value=2&__timestamp__=${at + 1_000}`);
    await victoria.start();
    await expect.poll(() => samplesOf(victoria, 'events_to_metrics{job="ci"}'), SOON).toHaveLength(3);
    const [first, second, end] = await samplesOf(victoria, 'events_to_metrics{job="ci"}');
    const ended = end?.[0] ?? 0;
    expect([first, second, end]).toEqual([
      [at, 1],
      [at + 1_000, 2],
      [ended, Number.NaN],
    ]);
    expectAt(ended, (await firstScrapes(victoria))[1]);
    const seen = async (time: number) => valuesOf(victoria, 'events_to_metrics', time);
    expect([await seen(at - 1), await seen(at), await seen(ended - 1), await seen(ended)]).toEqual([
      [],
      [1],
      [2],
      [],
    ]);
    expect(await valuesOf(victoria, 'count_over_time(events_to_metrics[1h])', ended)).toEqual([2]);

    // It takes samples in any order: an older one than that end is not lost.
    await postEvent(server, `n=a&job=ci&value=3&__timestamp__=${ended - 1}`);
    const times = async () =>
      (await samplesOf(victoria, 'events_to_metrics{job="ci"}')).map(([time]) => time);
    await expect.poll(times, SOON).toContain(ended - 1);
  });

  test("without honor_timestamps it stores the scrape's time in place of the event's", async ({ skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    await using server = await startServer();
    const config =
      EVERY_SECOND + configOf('victoriametrics', server).replace(/ +honor_timestamps: true\n/, '');
    await using victoria = new VictoriaMetrics({ binary, config });
    await postEvent(server, `n=a&__timestamp__=${Date.now() - MINUTE_MS}`);
    await victoria.start();
    await expect.poll(() => samplesOf(victoria, 'events_to_metrics'), SOON).not.toEqual([]);
    const [scraped] = await firstScrapes(victoria);
    expect((await samplesOf(victoria, 'events_to_metrics'))[0]).toEqual([scraped, 1]);
  });

  test('untimed, it stores the last event of a series at the time of the scrape, and ends it at the next one', async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    await using server = await startServer();
    await using victoria = new VictoriaMetrics({
      binary,
      config: EVERY_SECOND + configOf('untimed', server),
    });
    await postEvent(server, 'n=a&value=1');
    await postEvent(server, 'n=a&value=2');
    await victoria.start();
    await expect.poll(() => samplesOf(victoria, 'events_to_metrics'), SOON).toHaveLength(2);
    const [first, second] = await firstScrapes(victoria);
    const [event, end] = await samplesOf(victoria, 'events_to_metrics');
    expect(event).toEqual([first, 2]);
    expect(end?.[1]).toBeNaN();
    expectAt(end?.[0], second);
  });
});

describe('facts about its scrapes', () => {
  const at = Date.now() - MINUTE_MS;
  const BODY = [
    'repeated 1',
    'repeated 2',
    `descending 2 ${at + 1_000}`,
    `descending 1 ${at}`,
    `redelivered 1 ${at}`,
    `not_a_number NaN ${at}`,
    'a-b{ 1',
    'after_a_bad_line 1',
    '',
  ].join('\n');

  async function scraping(flags: readonly string[]) {
    const resources = new AsyncDisposableStack();
    const target = resources.use(
      await serveStatic(new Map([['/metrics', { contentType: 'text/plain; version=0.0.4', body: BODY }]])),
    );
    const job = {
      job_name: 'static',
      honor_timestamps: true,
      static_configs: [{ targets: [target.address] }],
    };
    const config = `${EVERY_SECOND}scrape_configs: ${JSON.stringify([{ ...job, params: { scraper: ['A'] } }])}\n`;
    const victoria = resources.use(new VictoriaMetrics({ binary: binary ?? '', config, flags }));
    await victoria.start();
    await expect.poll(() => samplesOf(victoria, 'up'), SOON).toHaveLength(3);
    return { target, victoria, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  test('it asks for text, and keeps all samples of a series, in any order, every time that they come', async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    await using running = await scraping([]);
    const { target, victoria } = running;
    expect(target.asked.get('/metrics')).toMatchObject({
      'user-agent': 'vm_promscrape',
      accept: 'text/plain;version=0.0.4;q=1,*/*;q=0.1',
      'accept-encoding': 'gzip',
      'x-prometheus-scrape-timeout-seconds': '1.000',
    });
    const values = async (match: string) =>
      (await samplesOf(victoria, match)).slice(0, 2).map(([, value]) => value);
    expect((await values('repeated')).toSorted((a = 0, b = 0) => a - b)).toEqual([1, 2]);
    const [first, second] = await samplesOf(victoria, 'repeated');
    expect(first?.[0]).toBe(second?.[0]);
    const descending = new Map(
      (await samplesOf(victoria, 'descending')).map(([time = 0, value]) => [time, value]),
    );
    expect([...descending]).toEqual([
      [at, 1],
      [at + 1_000, 2],
    ]);
    const redelivered = await samplesOf(victoria, 'redelivered');
    expect(redelivered.length).toBeGreaterThan(1);
    expect(new Set(redelivered.map(([time]) => time))).toEqual(new Set([at]));
    const [counted] = await valuesOf(victoria, 'count_over_time(redelivered[1h])', at + MINUTE_MS);
    expect(counted).toBeGreaterThan(1);
  });

  test('it passes over a bad line in silence', async ({ skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    await using running = await scraping([]);
    expect((await samplesOf(running.victoria, 'up')).map(([, up]) => up)).not.toContain(0);
    expect(await samplesOf(running.victoria, 'after_a_bad_line')).not.toEqual([]);
  });

  test('with -dedup.minScrapeInterval=1ms what comes again counts once, and what differs in time is kept', async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    await using running = await scraping(flagsOf('victoriametrics-flags'));
    const count = (metric: string) =>
      valuesOf(running.victoria, `count_over_time(${metric}[1h])`, at + HOUR_MS / 2);
    expect(await count('redelivered')).toEqual([1]);
    expect(await count('descending')).toEqual([2]);
  });
});

describe('the VictoriaMetrics of the tests', () => {
  test('keeps what it scraped when it is halted and started again, and forgets it when stopped', async ({
    skip,
  }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    await using server = await startServer();
    await using victoria = new VictoriaMetrics({
      binary,
      config: EVERY_SECOND + configOf('untimed', server),
    });
    await postEvent(server, 'n=a');
    await victoria.start();
    await expect.poll(() => samplesOf(victoria, 'events_to_metrics'), SOON).not.toEqual([]);
    const [first] = await samplesOf(victoria, 'events_to_metrics');
    const { url, pid } = victoria;
    await victoria.halt();
    await expect(victoria.exported('up')).rejects.toThrow('fetch failed');
    await victoria.start();
    expect([victoria.url, victoria.pid === pid]).toEqual([url, false]);
    expect((await samplesOf(victoria, 'events_to_metrics'))[0]).toEqual(first);
    await victoria.stop();
    await victoria.start();
    expect(await samplesOf(victoria, 'events_to_metrics')).toEqual([]);
  });

  test('shows its log when it does not start', async ({ skip }) => {
    if (binary === undefined) throw skip(HOW_TO_GET_VICTORIA_METRICS);
    const victoria = new VictoriaMetrics({ binary, config: 'no_such_setting: 1\n' });
    await expect(victoria.start()).rejects.toThrow('no_such_setting');
  });
});
