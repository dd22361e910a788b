import { ConfigError } from '../config/error.ts';
import type { Settings } from '../config/settings.ts';
import type { Memory } from '../core/memory.ts';
import { divideMemory } from '../core/memory.ts';

/** What the process runs on, in bytes. */
export interface Machine {
  /** The memory of the container, or of the machine. */
  readonly memoryBytes: number;
  /** What V8's heap may grow to. */
  readonly heapBytes: number;
}

const MIB = 1024 * 1024;
/** Of the container's memory. The rest is for the process itself, for what V8 has not collected yet, and for the kernel. */
const SHARE_OF_MACHINE = 1 / 4;
/** Of V8's heap, where most of it lies, beside what the process itself needs. A heap that is half full collects its garbage without haste. */
const SHARE_OF_HEAP = 0.4;
/** More brings nothing, unless somebody knows why and asks for it. */
const UNASKED_BYTES_MAX = 512 * MIB;
/** With less, one body would not fit. */
const BYTES_MIN = 16 * MIB;

/** Divides the memory that clients can fill. Throws a ConfigError for a `memory.max` that is too small to work with. */
export function memoryOf(settings: Settings, machine: Machine): Memory {
  const asked = settings['memory.max'];
  if (asked > 0 && asked < BYTES_MIN) {
    throw new ConfigError(
      `memory.max must be 0 or at least ${BYTES_MIN / MIB}MiB, not ${asked} bytes; raise it, or set 0 to let the server choose`,
    );
  }
  const bytesMax = asked > 0 ? asked : Math.max(BYTES_MIN, chosenBytes(machine));
  return divideMemory(bytesMax, settings['store.kind'] === 'memory');
}

function chosenBytes({ memoryBytes, heapBytes }: Machine): number {
  return Math.floor(Math.min(memoryBytes * SHARE_OF_MACHINE, heapBytes * SHARE_OF_HEAP, UNASKED_BYTES_MAX));
}
