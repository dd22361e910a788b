import { readFileSync } from 'node:fs';

/**
 * How long the main thread of a process was ready to run and had no core, in ms: what the machine is to blame for. NaN where there is no
 * such process. Source: https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
 */
export function waitedForCore(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return Number.NaN;
  }
}
