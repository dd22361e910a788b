import { expect, it } from 'vitest';
import { RemoteWriteReceiver } from '../support/remoteWriteReceiver.ts';
import { startServer } from '../support/server.ts';

it('G2: a post can wait for a sink, and its receipt says what the receiver did', async () => {
  await using receiver = await RemoteWriteReceiver.start((call) =>
    call.samples.some(({ labels }) => labels['n'] === 'bad')
      ? call.answer(400, 'out of bounds')
      : call.store(),
  );
  await using server = await startServer({
    sinks: { db: { url: receiver.url } },
    'server.stopTimeout': 1_000,
  });
  const post = async (n: string, to: string) => {
    const query = `wait=delivered&timeout=20s${to}&n=${n}&__id__=${n}`;
    const answer = await fetch(`${server.url}/event?${query}`, { method: 'POST' });
    return { status: answer.status, ...((await answer.json()) as object) };
  };
  const sink = { id: 'sink:db', identifiedBy: 'sink' };
  expect(await post('good', '&to=sink:db')).toMatchObject({
    status: 200,
    delivered: true,
    scrapers: [{ ...sink, state: 'delivered' }],
  });
  expect(await post('again', '&to=db')).toMatchObject({ status: 200, scrapers: [sink] });
  expect(receiver.values('n')).toEqual(['good', 'again']);
  const dropped = {
    ...sink,
    state: 'dropped',
    reason: 'refused',
    message: 'the receiver behind this sink refused it; oneshot sinks shows its words',
  };
  expect(await post('bad', '')).toMatchObject({ status: 202, ended: 'settled', scrapers: [dropped] });
  const receipt = await fetch(`${server.url}/api/v1/events/bad`);
  expect(await receipt.json()).toMatchObject({ id: 'bad', scrapers: [dropped] });
});

it('a receipt, and the answer to a post that waits, say why a sink takes nothing', async () => {
  let isAway = true;
  await using receiver = await RemoteWriteReceiver.start((call) =>
    isAway ? call.answer(401, 'who are you?') : call.store(),
  );
  await using server = await startServer({
    sinks: { db: { url: receiver.url } },
    'server.stopTimeout': 1_000,
  });
  const query = 'wait=delivered&timeout=1s&to=db&n=1&__id__=a';
  const answer = await fetch(`${server.url}/event?${query}`, { method: 'POST' });
  const message = 'the receiver takes nothing now; it is tried again: 401: who are you?';
  const failing = [{ id: 'sink:db', state: 'onItsWay', message }];
  expect(await answer.json()).toMatchObject({ ended: 'timeout', scrapers: failing });
  const receipt = async () => (await fetch(`${server.url}/api/v1/events/a`)).json();
  expect(await receipt()).toMatchObject({ scrapers: failing });
  // What came since isn't sent yet, for the same reason.
  await fetch(`${server.url}/event?n=2&__id__=b`, { method: 'POST' });
  expect(await (await fetch(`${server.url}/api/v1/events/b`)).json()).toMatchObject({
    scrapers: [{ state: 'waiting', message }],
  });
  isAway = false;
  await expect.poll(receipt, { timeout: 10_000 }).toMatchObject({ scrapers: [{ state: 'delivered' }] });
  expect(JSON.stringify(await receipt())).not.toContain('who are you');
});
