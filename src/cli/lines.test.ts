import { describe, expect, it } from 'vitest';
import type { BrokenLine } from './lines.ts';
import { readLines } from './lines.ts';

async function linesOf(
  chunks: readonly (string | Uint8Array)[],
  bytesMax = 100,
): Promise<(string | BrokenLine)[]> {
  const lines: (string | BrokenLine)[] = [];
  const stream = (async function* () {
    yield* chunks;
  })();
  for await (const line of readLines(stream, bytesMax)) lines.push(line);
  return lines;
}

describe('lines', () => {
  it.each([
    [['a\nb\n'], ['a', 'b']],
    [['a\nb'], ['a', 'b']],
    [['a\r\n\r\nb'], ['a', '', 'b']],
    [
      ['a', 'b\nc', '', '\n'],
      ['ab', 'c'],
    ],
    [[''], []],
    [[], []],
  ])('%j are %j', async (chunks, lines) => {
    expect(await linesOf(chunks)).toEqual(lines);
  });

  it('may be cut anywhere, in the midst of a character, too', async () => {
    const bytes = Buffer.from('ü€😀\nß');
    expect(await linesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['ü€😀', 'ß']);
  });

  it('that are too long are told apart, and the next ones are read', async () => {
    const long = Array.from({ length: 50 }, () => 'x'.repeat(1_000));
    expect(await linesOf(['ok\n', ...long, '\nnext\n', 'y'.repeat(101)])).toEqual([
      'ok',
      { broken: 'longer than 100 bytes; shorten it' },
      'next',
      { broken: 'longer than 100 bytes; shorten it' },
    ]);
  });

  it('that are no UTF-8 are told apart, and a byte order mark stays', async () => {
    const bytes = Uint8Array.of(0xff, 0x0a, 0xef, 0xbb, 0xbf, 0x61, 0x0a, 0x62);
    expect(await linesOf([bytes])).toEqual([{ broken: 'not valid UTF-8' }, '\ufeffa', 'b']);
  });
});
