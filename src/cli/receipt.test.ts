import { expect, it } from 'vitest';
import { fakeServer, runCli } from '../../test/support/cli.ts';

const RECEIPT = {
  id: 'a/b',
  event: { series: 'm{a="1"}', value: '1', time: '2026-11-24T12:00:00.000Z' },
  scrapers: [
    { id: 'prometheus-a', state: 'delivered' },
    { id: 'b', state: 'dropped', reason: 'log_full', message: 'too late' },
  ],
};

it('receipt shows the event, and what each scraper has of it', async () => {
  const { fetch, requests } = fakeServer(() => new Response(JSON.stringify(RECEIPT)));
  expect(await runCli(['receipt', 'a/b', '--source', '/s?'], { fetch })).toEqual({
    code: 0,
    stdout:
      'm{a="1"} 1 at 2026-11-24T12:00:00.000Z\n' +
      'SCRAPER       STATE      WHY\n' +
      'prometheus-a  delivered\n' +
      'b             dropped    log_full: too late\n',
    stderr: '',
  });
  expect(requests[0]?.url).toBe('http://localhost:8090/api/v1/events/a%2Fb?source=%2Fs%3F');
  const asJson = await runCli(['receipt', 'a/b', '--json'], { fetch });
  expect(JSON.parse(asJson.stdout)).toEqual(RECEIPT);
});

it('receipt tells of a request with several events', async () => {
  const told = { id: 'x', entries: { first: 3, last: 5, count: 3 }, scrapers: [] };
  const { fetch } = fakeServer(() => new Response(JSON.stringify(told)));
  expect((await runCli(['receipt', 'x'], { fetch })).stdout).toBe(
    'a request with several events: 3 entries of the log, from 3 on\nno scrapers yet\n',
  );
});

it('receipt of no such event ends with 3', async () => {
  const { fetch } = fakeServer(() => new Response('{"error":"no event","field":"id"}', { status: 404 }));
  expect(await runCli(['receipt', 'x'], { fetch })).toEqual({
    code: 3,
    stdout: '',
    stderr: 'oneshot receipt: http://localhost:8090: no event\n',
  });
  const elsewhere = fakeServer(() => new Response('{"error":"no"}', { status: 404 }));
  expect((await runCli(['receipt', 'x'], { fetch: elsewhere.fetch })).code).toBe(4);
});

it.each([[[]], [['a', 'b']], [['']]])('receipt %j can not be', async (argv) => {
  expect((await runCli(['receipt', ...argv])).code).toBe(2);
});
