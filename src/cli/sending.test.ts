import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Receipt } from '../client/client.ts';
import type { SealedEvent } from '../client/event.ts';
import { PushError } from '../client/pushError.ts';
import { millis } from '../core/millis.ts';
import { Sending } from './sending.ts';
import { Spool } from './spool/spool.ts';

const NOW = 1_700_000_000_000;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

type Act = (id: string) => PushError | undefined;

function world(act: Act, { withSpool = true } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'sending-'));
  folders.push(root);
  let ids = 0;
  let elapsed = 0;
  const state = { act, onDisk: 0 };
  const spool = new Spool(join(root, 'spool'), 'http://a', {
    clock: () => millis(NOW),
    randomId: () => `${(ids += 1)}`,
    claimMs: 60_000,
  });
  const sent: { id: string; totalMs: number | undefined }[] = [];
  const told: string[] = [];
  const client = {
    send: async ({ id, time }: SealedEvent, { totalMs }: { totalMs?: number | undefined } = {}) => {
      state.onDisk = (await spool.counts()).waiting;
      sent.push({ id, totalMs });
      elapsed += 1_000;
      const error = state.act(id);
      if (error !== undefined) throw error;
      return { id, time, duplicate: false, attempts: 1 };
    },
  };
  const sending = new Sending(client, withSpool ? spool : undefined, ({ id, reason }) =>
    told.push(`${id}: ${reason}`),
  );
  const budget = (totalMs = 30_000) => ({ elapsed: () => elapsed, totalMs });
  return { root, spool, sending, sent, told, state, budget, ids: () => sent.map(({ id }) => id) };
}

const event = (id: string, time: number): SealedEvent => ({ id, time: NOW + time, form: '' });
const DOWN: Act = () => new PushError('unavailable', 'down');
const UP: Act = () => undefined;

describe('a sending with a spool', () => {
  it('has the event on disk before it is sent, and not after', async () => {
    const { sending, budget, spool, state } = world(UP);
    expect(await sending.send(event('a', 1), budget())).toMatchObject({
      kind: 'accepted',
      receipt: { id: 'a' },
    });
    expect(state.onDisk).toBe(1);
    expect(await spool.counts()).toEqual({ waiting: 0, refused: 0 });
  });

  it('keeps what could not be sent, and sends it first next time, at its own place in time', async () => {
    const { sending, budget, state, ids, spool } = world(DOWN);
    const kept = await sending.send(event('a', 1), budget());
    expect(kept).toMatchObject({ kind: 'kept', folder: spool.folder, error: { message: 'down' } });
    await sending.send(event('b', 2), budget());
    state.act = UP;
    await sending.send(event('c', 3), budget());
    expect(ids()).toEqual(['a', 'a', 'a', 'b', 'c']);
    expect(await spool.counts()).toEqual({ waiting: 0, refused: 0 });
  });

  it('moves aside what is refused, tells it, and goes on with the rest', async () => {
    const { sending, budget, state, told, spool } = world(DOWN);
    for (const [i, id] of ['a', 'poison', 'b'].entries()) await sending.send(event(id, i), budget());
    state.act = (id) => (id === 'poison' ? new PushError('refused', 'bad label') : undefined);
    expect(await sending.flush(budget())).toEqual({
      sent: 2,
      refused: [{ id: 'poison', reason: 'bad label' }],
      stopped: undefined,
    });
    expect(told).toEqual(['poison: bad label']);
    expect(await spool.counts()).toEqual({ waiting: 0, refused: 1 });
  });

  it('moves aside its own event where that is refused: it is not accepted', async () => {
    const { sending, budget, spool } = world(() => new PushError('refused', 'bad label'));
    expect(await sending.send(event('a', 1), budget())).toMatchObject({
      kind: 'lost',
      error: { reason: 'refused' },
    });
    expect(await spool.counts()).toEqual({ waiting: 0, refused: 1 });
  });

  it('moves aside a file that is no event', async () => {
    const { sending, budget, spool, told, ids } = world(DOWN);
    await sending.send(event('a', 1), budget());
    const [name = ''] = readdirSync(spool.folder);
    writeFileSync(join(spool.folder, name), 'torn');
    await sending.send(event('b', 2), budget());
    expect(told).toEqual([`${name}: the file is not JSON`]);
    expect(ids()).toEqual(['a', 'b']);
  });

  it('keeps events where the credentials are wrong: they are not at fault', async () => {
    const { sending, budget, spool } = world(() => new PushError('denied', 'who?'));
    expect(await sending.send(event('a', 1), budget())).toMatchObject({
      kind: 'kept',
      error: { reason: 'denied' },
    });
    expect(await spool.counts()).toEqual({ waiting: 1, refused: 0 });
  });

  it('spends no more than its time, on whatever waits', async () => {
    const { sending, budget, state, sent } = world(DOWN);
    for (let i = 0; i < 5; i += 1) await sending.send(event(`e${i}`, i), budget(1));
    state.act = UP;
    sent.length = 0;
    expect(await sending.send(event('new', 9), budget(2_500))).toMatchObject({ kind: 'kept' });
    expect(sent).toEqual([
      { id: 'e0', totalMs: 2_500 },
      { id: 'e1', totalMs: 1_500 },
      { id: 'e2', totalMs: 500 },
    ]);
  });

  it('that can not be used sends at once, and tells both troubles where that fails', async () => {
    const { root, spool, budget } = world(UP);
    writeFileSync(join(root, 'spool'), 'a file');
    const deliver = (send: () => Promise<never> | Promise<Receipt>) =>
      new Sending({ send }, spool, () => undefined).send(event('a', 1), budget());
    expect(await deliver(async () => ({ id: 'a', time: 0, duplicate: false, attempts: 1 }))).toMatchObject({
      kind: 'accepted',
    });
    expect(await deliver(() => Promise.reject(new PushError('unavailable', 'down')))).toMatchObject({
      kind: 'lost',
      error: { message: 'down' },
      spoolError: { name: 'SpoolError' },
    });
  });
});

describe('a sending without a spool', () => {
  it('loses what can not be sent, and says so', async () => {
    const { sending, budget, root } = world(DOWN, { withSpool: false });
    expect(await sending.send(event('a', 1), budget())).toMatchObject({
      kind: 'lost',
      spoolError: undefined,
    });
    expect(readdirSync(root)).toEqual([]);
    expect(await sending.flush(budget())).toEqual({ sent: 0, refused: [], stopped: undefined });
  });
});
