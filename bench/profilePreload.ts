/**
 * Preloaded into a server (`node --import`), it profiles its main thread: SIGUSR2 begins, the next one ends it, writes the profile to the
 * file that PROFILE_FILE names, and says `profiled`.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const SAMPLE_EVERY_US = 200;
const session = new Session();
session.connect();
let running = false;

process.on('SIGUSR2', () => void toggle());

async function toggle(): Promise<void> {
  running = !running;
  if (running) {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
    await session.post('Profiler.start');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(process.env['PROFILE_FILE'] ?? 'server.cpuprofile', JSON.stringify(profile));
  console.log('profiled');
}
