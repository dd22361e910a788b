import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { ECHO_MS, stopAsked } from './stopAsked.ts';

function processAt(time: { now: number }) {
  const emitter = new EventEmitter();
  const ended: number[] = [];
  const asked = stopAsked({
    on: (signal, listener) => emitter.on(signal, listener),
    elapsed: () => time.now,
    endNow: () => void ended.push(time.now),
  });
  return { emitter, ended, asked };
}

test('the first signal asks for a good stop, and its echo for nothing', async () => {
  const time = { now: 5 };
  const { emitter, ended, asked } = processAt(time);
  emitter.emit('SIGINT');
  for (const now of [5, 6, 5 + ECHO_MS - 1]) {
    time.now = now;
    emitter.emit('SIGINT');
    emitter.emit('SIGTERM');
  }
  expect(await asked).toBe('SIGINT');
  expect(ended).toEqual([]);
});

test('a second signal after a pause ends the process at once', async () => {
  const time = { now: 0 };
  const { emitter, ended, asked } = processAt(time);
  emitter.emit('SIGTERM');
  time.now = ECHO_MS;
  emitter.emit('SIGINT');
  expect(await asked).toBe('SIGTERM');
  expect(ended).toEqual([ECHO_MS]);
});
