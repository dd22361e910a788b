import { expect, it } from 'vitest';
import { RawClient } from '../support/rawHttp.ts';
import { ServerProcess, temporaryFolder } from '../support/server.ts';

interface Told {
  readonly status: number;
  readonly duplicate?: boolean;
  readonly scrapers: readonly { readonly id: string; readonly state: string }[];
}

it('G4: receipts are right after kill -9, and who waited can go on waiting', async () => {
  using folder = temporaryFolder();
  const flags = [`--store.path=${folder.path}`, '--scrapers.known=a,b'];
  let server = await ServerProcess.start(flags);
  const post = async (query: string): Promise<Told> => {
    const answer = await fetch(`${server.url}/event?${query}`, { method: 'POST' });
    return { status: answer.status, ...((await answer.json()) as Omit<Told, 'status'>) };
  };
  const statesOf = async (id: string) => {
    const answer = await fetch(`${server.url}/api/v1/events/${id}`);
    const { scrapers = [] } = (await answer.json()) as Partial<Told>;
    return Object.fromEntries(scrapers.map((scraper) => [scraper.id, scraper.state]));
  };
  const scrape = async (client: RawClient, query: string) => {
    client.get(`/metrics?${query}`);
    await client.response();
  };

  await post('n=1&__id__=proved');
  const timed = await RawClient.connect(server.port);
  for (let n = 0; n < 2; n += 1) await scrape(timed, 'scraper=a&timestamps=explicit');
  await post('n=2&__id__=unproved');
  const untimed = await RawClient.connect(server.port);
  await scrape(untimed, 'scraper=b');
  await post('n=3&__id__=sent');
  await scrape(timed, 'scraper=a&timestamps=explicit');
  const waiting = post('n=4&__id__=waited&wait=delivered&timeout=60s').catch((error: unknown) => error);
  await expect.poll(() => statesOf('waited'), { timeout: 20_000 }).toEqual({ a: 'waiting', b: 'waiting' });
  const before = {
    proved: { a: 'delivered', b: 'onItsWay' },
    unproved: { a: 'onItsWay', b: 'onItsWay' },
  };
  expect({ proved: await statesOf('proved'), unproved: await statesOf('unproved') }).toEqual(before);

  await server.end('SIGKILL');
  expect(await waiting).toBeInstanceOf(Error);
  server = await ServerProcess.start(flags);
  expect(await statesOf('proved')).toEqual({ a: 'delivered', b: 'deliveredWithoutProof' });
  // Timed samples are offered again; untimed ones that were sent count as delivered.
  expect(await statesOf('unproved')).toEqual({ a: 'waiting', b: 'deliveredWithoutProof' });
  expect(await statesOf('sent')).toEqual({ a: 'waiting', b: 'waiting' });
  const again = post('n=4&__id__=waited&wait=delivered&timeout=60s');
  for (const id of ['a', 'b']) {
    const client = await RawClient.connect(server.port);
    for (let n = 0; n < 2; n += 1) await scrape(client, `scraper=${id}&timestamps=explicit`);
    client.socket.destroy();
  }
  expect(await again).toMatchObject({
    status: 200,
    duplicate: true,
    scrapers: [
      { id: 'a', state: 'delivered' },
      { id: 'b', state: 'delivered' },
    ],
  });
  expect(await statesOf('sent')).toEqual({ a: 'delivered', b: 'delivered' });
  await server.end('SIGTERM');
}, 120_000);
