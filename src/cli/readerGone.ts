import type { spawn } from 'node:child_process';

/**
 * Hears when nobody reads standard output any more, though nothing is written: Node tells only of a write that fails, and `oneshot tail | head -1`
 * may not write for hours. GNU tail looks at exactly that while it follows a file that never grows; where there is another tail, or none,
 * nothing is heard. It ends with this process, whose pipe it would keep open otherwise. Returns what ends it.
 */
export function watchReader(run: typeof spawn, ownPid: number, gone: () => void): () => void {
  const watcher = run('tail', [`--pid=${ownPid}`, '-f', '/dev/null'], {
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  watcher.on('error', () => undefined);
  watcher.on('exit', (_code, signal) => {
    if (signal === 'SIGPIPE') gone();
  });
  return () => void watcher.kill();
}
