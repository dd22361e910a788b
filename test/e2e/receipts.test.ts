import { expect, test } from 'vitest';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../support/prometheus.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

interface Told {
  readonly delivered: boolean;
  readonly ended?: string;
  readonly scrapers: readonly { readonly id: string; readonly state: string }[];
}

test('G2: a post that waits is answered once Prometheus has its event, and a receipt tells what became of one that it could not wait for', async ({
  skip,
}) => {
  const binary = requirePrometheus('3.5');
  if (binary === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
  using folder = temporaryFolder();
  const server = await ServerProcess.start([`--store.path=${folder.path}/data`]);
  const post = async (query: string) => {
    const answer = await fetch(`${server.url}/event?${query}`, { method: 'POST' });
    return { status: answer.status, ...((await answer.json()) as Told) };
  };
  const stateOf = async (id: string) => {
    const { scrapers } = (await (await fetch(`${server.url}/api/v1/events/${id}`)).json()) as Told;
    return scrapers.find((scraper) => scraper.id === 'p')?.state;
  };
  const prometheus = new Prometheus({
    binary,
    scrapeConfigs: [
      {
        job_name: 'events',
        targets: [`127.0.0.1:${server.port}`],
        params: { scraper: ['p'], timestamps: ['explicit'] },
        scrape_protocols: ['PrometheusProto', 'OpenMetricsText1.0.0', 'PrometheusText0.0.4'],
      },
    ],
  });
  try {
    await prometheus.start();
    // Nobody is known yet.
    const first = await post('n=first&wait=delivered&timeout=60s&to=p');
    expect(first).toMatchObject({
      status: 200,
      delivered: true,
      scrapers: [{ id: 'p', state: 'delivered' }],
    });
    const found = await prometheus.query('events_to_metrics{n="first"}');
    expect(found[0]?.samples[0]?.value).toBe(1);

    await prometheus.halt();
    const second = await post('n=second&__id__=second&wait=delivered&timeout=300ms');
    expect(second).toMatchObject({ status: 202, delivered: false, ended: 'timeout' });
    expect(await stateOf('second')).toBe('waiting');
    await prometheus.start();
    await expect.poll(() => stateOf('second'), { timeout: 60_000, interval: 200 }).toBe('delivered');
    expect((await prometheus.query('events_to_metrics{n="second"}'))[0]?.samples[0]?.value).toBe(1);
    // It is there: who waits for it again is answered at once.
    const began = performance.now();
    expect(await post('n=second&__id__=second&wait=delivered')).toMatchObject({
      status: 200,
      duplicate: true,
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  } finally {
    await prometheus[Symbol.asyncDispose]();
    await server.end('SIGTERM');
  }
});
