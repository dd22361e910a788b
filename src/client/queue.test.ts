import { describe, expect, it } from 'vitest';
import type { SealedEvent } from './event.ts';
import { PushError } from './pushError.ts';
import type { QueueOptions } from './queue.ts';
import { EventQueue } from './queue.ts';

const never = (_ms: number, signal?: AbortSignal) =>
  new Promise<void>((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });

function queueOf(
  send: (id: string, signal: AbortSignal) => Promise<void>,
  options: QueueOptions = {},
  sleep: (ms: number, signal?: AbortSignal) => Promise<void> = async () => undefined,
) {
  let made = 0;
  const sender = {
    seal: (): SealedEvent => ({ id: `e${(made += 1)}`, time: 0, form: '' }),
    send: (event: SealedEvent, { signal }: { signal: AbortSignal }) => send(event.id, signal),
  };
  return new EventQueue(sender, { sleep }, options);
}

describe('a queue', () => {
  it('sends in the order in which events came, one at a time', async () => {
    const told: string[] = [];
    const queue = queueOf(async (id) => {
      told.push(`${id} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${id} is sent`);
    });
    expect([queue.add({}), queue.add({}), queue.size]).toEqual([true, true, 2]);
    await queue.flush();
    expect(told).toEqual(['e1 begins', 'e1 is sent', 'e2 begins', 'e2 is sent']);
    expect(queue.add({})).toBe(true);
    await queue.flush();
    expect(told.slice(4)).toEqual(['e3 begins', 'e3 is sent']);
  });

  it('keeps an event until the server is there again, and tells that it waits', async () => {
    let attempts = 0;
    const pauses: string[] = [];
    const queue = queueOf(
      async () => {
        attempts += 1;
        if (attempts < 3) throw new PushError('unavailable', 'down');
      },
      { onPause: (error) => pauses.push(error.message) },
    );
    queue.add({});
    await queue.flush();
    expect({ attempts, pauses, size: queue.size }).toEqual({
      attempts: 3,
      pauses: ['down', 'down'],
      size: 0,
    });
  });

  it('gives up what is refused, tells of it, and goes on', async () => {
    const sent: string[] = [];
    const refused: string[] = [];
    const queue = queueOf(
      async (id) => {
        if (id === 'e1') throw new PushError('refused', 'bad label');
        sent.push(id);
      },
      { onRefused: (event, error) => refused.push(`${event.id}: ${error.message}`) },
    );
    queue.add({});
    queue.add({});
    await queue.flush();
    expect({ sent, refused }).toEqual({ sent: ['e2'], refused: ['e1: bad label'] });
  });

  it('takes no more than its limit', async () => {
    const queue = queueOf((_id, signal) => never(0, signal), { eventsMax: 2 });
    expect([queue.add({}), queue.add({}), queue.add({})]).toEqual([true, true, false]);
    await queue.close(0);
  });

  it('gives back at its end what could not be sent, and takes nothing more', async () => {
    const queue = queueOf((_id, signal) => never(0, signal));
    queue.add({});
    queue.add({});
    expect((await queue.close(10)).map(({ id }) => id)).toEqual(['e1', 'e2']);
    expect([queue.add({}), queue.size]).toEqual([false, 0]);
  });

  it('waits at its end for what is on its way', async () => {
    const queue = queueOf(() => new Promise((resolve) => setImmediate(resolve)), {}, never);
    queue.add({});
    expect(await queue.close()).toEqual([]);
  });
});
