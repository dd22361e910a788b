import { describe, expect, test } from 'vitest';
import { aPod } from '../../test/support/fakeKubernetes.ts';
import { PodDirectory } from './podDirectory.ts';

const directoryOf = (...pods: Parameters<PodDirectory['put']>[0][]): PodDirectory => {
  const directory = new PodDirectory();
  directory.replaceAll(pods);
  return directory;
};

describe('the directory of pods', () => {
  test("names a StatefulSet's pods, and knows others without a name", () => {
    const directory = directoryOf(aPod('prometheus-0', '10.0.0.1'), aPod('web-x1', '10.0.0.2', 'ReplicaSet'));
    expect(directory.at('10.0.0.1')?.lasting).toBe('monitoring/prometheus-0');
    expect(directory.at('10.0.0.2')).toEqual({ uid: 'uid-web-x1-10.0.0.2', lasting: undefined });
    expect(directory.at('10.0.0.3')).toBeUndefined();
  });

  test('knows every address of a pod, in canonical form', () => {
    const pod = aPod('prometheus-0', '10.0.0.1');
    const both = { ...pod, status: { ...pod.status, podIPs: [{ ip: '10.0.0.1' }, { ip: 'FD00:0:0::1' }] } };
    expect(directoryOf(both).at('fd00::1')?.lasting).toBe('monitoring/prometheus-0');
  });

  test("leaves out pods on their node's network, and those that are over", () => {
    const onHost = { ...aPod('a-0', '10.0.0.1'), spec: { hostNetwork: true } };
    const over = { ...aPod('b-0', '10.0.0.2'), status: { phase: 'Failed', podIP: '10.0.0.2' } };
    expect(directoryOf(onHost, over).size).toBe(0);
  });

  test('an address that went to another pod stays that one’s when the first is removed', () => {
    const before = aPod('a-0', '10.0.0.1');
    const directory = directoryOf(before);
    directory.put(aPod('b-0', '10.0.0.1'));
    directory.remove(before);
    expect(directory.at('10.0.0.1')?.lasting).toBe('monitoring/b-0');
  });

  test('a pod that gets another address leaves the first', () => {
    const pod = aPod('a-0', '10.0.0.1');
    const directory = directoryOf(pod);
    directory.put({ ...pod, status: { phase: 'Running', podIP: '10.0.0.9' } });
    expect([directory.at('10.0.0.1'), directory.at('10.0.0.9')?.lasting]).toEqual([
      undefined,
      'monitoring/a-0',
    ]);
  });
});
