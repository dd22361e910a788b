import { describe, expect, it } from 'vitest';
import { stackFormatter } from './stacks.ts';

const FILE = 'file:///app/dist/server.js';

/** As V8 hands them over, as far as they are looked at. */
function callSite(name: string, file: string | null, line: number, column: number): NodeJS.CallSite {
  const place = file === null ? 'native' : `${file}:${line}:${column}`;
  return {
    getFileName: () => file,
    getLineNumber: () => line,
    getColumnNumber: () => column,
    toString: () => `${name} (${place})`,
  } as NodeJS.CallSite;
}

/** Column 5 of line 1 is line 3 of src/b.ts. */
const MAP = JSON.stringify({ sources: ['../src/a.ts', '../src/b.ts'], mappings: 'AAAA,ICEM' });

describe('a stack of the bundle', () => {
  it('names the sources, and leaves what is not of the bundle as it is', () => {
    const format = stackFormatter('file:///app/dist/', () => MAP);
    const sites = [
      callSite('f', FILE, 1, 5),
      callSite('g', null, 1, 5),
      callSite('h', 'node:net', 1, 5),
      callSite('i', FILE, 1, 1),
    ];
    expect(format(new TypeError('no'), sites)).toBe(
      'TypeError: no\n    at f (src/b.ts:3:7)\n    at g (native)\n    at h (node:net:1:5)\n    at i (src/a.ts:1:1)',
    );
  });

  it('reads the map once for all of a place', () => {
    const reads: string[] = [];
    const format = stackFormatter('file:///app/dist/', (path) => {
      reads.push(path);
      return MAP;
    });
    for (let n = 0; n < 3; n += 1)
      format(new Error('x'), [callSite('f', FILE, 1, 5), callSite('f', FILE, 1, 1)]);
    expect(reads).toEqual([`${FILE}.map`]);
  });

  it.each([
    [
      'is gone',
      () => {
        throw new Error('ENOENT');
      },
    ],
    ['is no JSON', () => '{'],
    ['knows nothing of it', () => '{"sources": [], "mappings": ""}'],
    ['is something else', () => '[]'],
  ])('stays as it is where the map %s', (_what, read) => {
    const format = stackFormatter('file:///app/dist/', read);
    expect(format(new Error('x'), [callSite('f', FILE, 1, 5)])).toBe(`Error: x\n    at f (${FILE}:1:5)`);
  });
});
