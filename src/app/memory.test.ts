import { expect, it } from 'vitest';
import { loadSettings } from '../config/load.ts';
import { HOLDERS } from '../core/memory.ts';
import { memoryOf } from './memory.ts';

const MIB = 2 ** 20;

function bytesOf(argv: readonly string[], memoryMib: number, heapMib: number): number {
  const loaded = loadSettings({ argv, env: {}, readFile: () => undefined });
  if (loaded.action !== 'run') throw new Error('no settings');
  const machine = { memoryBytes: memoryMib * MIB, heapBytes: heapMib * MIB };
  const memory = memoryOf(loaded.settings, machine);
  return HOLDERS.reduce((sum, holder) => sum + memory[holder].bytesMax, 0) / MIB;
}

it.each([
  ['a pod of 512 MiB', [], 512, 320, 128],
  ['a heap of 256 MiB on a large machine', [], 32_000, 304, 121.6],
  ['a large machine', [], 32_000, 4_288, 512],
  ['a tiny one', [], 40, 40, 16],
  ['whatever is asked for', ['--memory.max=1GiB'], 512, 320, 1024],
] as const)('memory.max of %s', (_, argv, memoryMib, heapMib, expected) => {
  expect(bytesOf(argv, memoryMib, heapMib)).toBeCloseTo(expected, 4);
});

it('memory.max must leave room for a body', () => {
  expect(() => bytesOf(['--memory.max=15MiB'], 512, 320)).toThrow(
    'memory.max must be 0 or at least 16MiB, not 15728640 bytes; raise it, or set 0 to let the server choose',
  );
});
