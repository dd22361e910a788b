import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LastingOutput, WAITING_CHARACTERS_MAX } from './lastingOutput.ts';

const LINE = `${'x'.repeat(999)}\n`;

describe('an output that lasts', () => {
  it('keeps a bounded number of lines for a reader that stalls, loses the rest, and goes on when it reads again', async () => {
    const reader = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
    reader.kill('SIGSTOP');
    const output = new LastingOutput(reader.stdin);
    const lines = (10 * WAITING_CHARACTERS_MAX) / LINE.length;
    for (let n = 0; n < lines; n += 1) output.write(LINE);
    expect(reader.stdin.writableLength).toBeLessThan(WAITING_CHARACTERS_MAX + 2 * LINE.length);
    const { lost } = output;
    expect(lost).toBeGreaterThan(lines / 2);
    let read = 0;
    reader.stdout.on('data', (chunk: Buffer) => (read += chunk.length));
    reader.kill('SIGCONT');
    await expect.poll(() => reader.stdin.writableLength).toBe(0);
    output.write('again\n');
    reader.stdin.end();
    await once(reader, 'close');
    expect(output.lost).toBe(lost);
    expect(read).toBe((Math.ceil(lines) - lost) * LINE.length + 'again\n'.length);
  });

  it('counts what nobody can read any more', async () => {
    const reader = spawn('true', { stdio: ['pipe', 'ignore', 'inherit'] });
    await once(reader, 'close');
    const output = new LastingOutput(reader.stdin);
    for (let n = 0; n < 3; n += 1) output.write(LINE);
    await expect.poll(() => output.lost).toBe(3);
  });
});
