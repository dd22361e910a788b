import { describe, expect, test } from 'vitest';
import { aPod } from '../../test/support/fakeKubernetes.ts';
import { UnavailableError } from '../core/errors.ts';
import { PodDirectory } from './podDirectory.ts';
import { PodNames } from './podNames.ts';

/** Names over a directory that a test fills; `find` does what it is told, and counts. */
function namesOver(find: (directory: PodDirectory) => void = () => undefined) {
  const directory = new PodDirectory();
  const state = { now: 1_000_000, isSynced: true, asked: 0 };
  const lookups = {
    get isSynced() {
      return state.isSynced;
    },
    find: async () => {
      state.asked += 1;
      find(directory);
    },
  };
  return { directory, state, names: new PodNames(directory, lookups, () => state.now) };
}

describe('the name of a scraper by its pod', () => {
  test("is its StatefulSet's name for it, at whatever address", async () => {
    const { directory, names, state } = namesOver();
    directory.put(aPod('prometheus-0', '10.0.0.1'));
    directory.put(aPod('prometheus-0', '10.0.0.7'));
    expect(await names.nameOf('10.0.0.1')).toBe('monitoring/prometheus-0');
    expect(await names.nameOf('10.0.0.7')).toBe('monitoring/prometheus-0');
    expect(state.asked).toBe(0);
  });

  test('is none for a pod whose name ends with it', async () => {
    const { directory, names } = namesOver();
    directory.put(aPod('web-x1', '10.0.0.2', 'ReplicaSet'));
    expect(await names.nameOf('10.0.0.2')).toBeUndefined();
  });

  test('is none for this machine, of which no API server knows', async () => {
    const { names, state } = namesOver();
    state.isSynced = false;
    expect(await names.nameOf('127.0.0.1')).toBeUndefined();
    expect(await names.nameOf('::1')).toBeUndefined();
  });

  test('can not be told before the pods are listed', async () => {
    const { names, state } = namesOver();
    state.isSynced = false;
    await expect(names.nameOf('10.0.0.1')).rejects.toThrow(UnavailableError);
  });

  test('is asked for where the watch is late', async () => {
    const { names, state } = namesOver((directory) => directory.put(aPod('prometheus-0', '10.0.0.1')));
    expect(await names.nameOf('10.0.0.1')).toBe('monitoring/prometheus-0');
    await names.nameOf('10.0.0.1');
    expect(state.asked).toBe(1);
  });

  test('is waited for while a kubelet may yet tell the address, and given up then', async () => {
    const { names, state } = namesOver();
    await expect(names.nameOf('10.0.0.1')).rejects.toThrow("can't tell yet which pod");
    state.now += 15_000;
    await expect(names.nameOf('10.0.0.1')).rejects.toThrow(UnavailableError);
    state.now += 1;
    expect(await names.nameOf('10.0.0.1')).toBeUndefined();
    expect(state.asked).toBe(2);
  });

  test('can not be told of an unknown address while the API server is silent', async () => {
    const { names } = namesOver(() => {
      throw new Error('connection refused');
    });
    await expect(names.nameOf('10.0.0.1')).rejects.toThrow("the API server doesn't say");
  });

  test('is remembered to be none for a bounded number of addresses', async () => {
    const { names, state } = namesOver();
    for (let i = 0; i < 1_001; i += 1) await names.nameOf(`10.1.${i >> 8}.${i & 255}`).catch(() => undefined);
    state.now += 20_000;
    expect(await names.nameOf('10.1.3.232')).toBeUndefined();
    await expect(names.nameOf('10.1.0.0')).rejects.toThrow(UnavailableError);
  });
});
