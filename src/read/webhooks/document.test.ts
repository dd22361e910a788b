import { describe, expect, it } from 'vitest';
import { JsonNumber, parseJson } from '../json.ts';
import { compileMapping } from './compile.ts';
import { parseDocument, readDocument } from './document.ts';
import { Wanted, wantedBy } from './wanted.ts';

const RULES = {
  names: 'legacy',
  limits: {
    labelsMax: 64,
    labelNameBytesMax: 256,
    labelValueBytesMax: 4096,
    idBytesMax: 64,
    seriesBytesMax: 8192,
  },
  reserved: () => false,
} as const;
const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string, wanted?: Wanted) => plain(parseDocument(bytes(text), wanted));
const wantedOf = (mapping: object) => wantedBy(compileMapping('webhooks.w', mapping, RULES));

/** With the prototypes and the numbers that vitest compares. */
function plain(json: unknown): unknown {
  if (Array.isArray(json)) return json.map((item) => plain(item));
  if (json instanceof JsonNumber) return `#${json.text}`;
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plain(value)]));
}

describe('a body', () => {
  it.each([
    '{}',
    '[]',
    'null',
    ' true ',
    '"x"',
    '-0.5e+3',
    '[[],{},[{}],[[1],2]]',
    '{"a":{"b":[1,"2",null,false]},"c":""}',
    '"\\u00e9\\n\\\"\\\\"',
    '{"ü":"環境 🚀","__proto__":1,"constructor":2}',
    '\n[ 1 ,\t2 ]\r\n',
    '12345678901234567890',
  ])('is read as JSON: %s', (text) => {
    expect(read(text)).toEqual(plain(parseJson(text)));
  });

  it.each([
    ['', 'body is empty'],
    [' \n', 'body is empty'],
    ['{', 'expected a name in double quotes at column 2, but found the end'],
    ['{"a":1', 'expected a comma or } at column 7, but found the end'],
    ['{\n "a": 1,}', 'expected a name in double quotes at line 2, column 9, but found "}"'],
    ['[1,]', 'expected a value at column 4, but found "]"'],
    ['[01]', 'expected a comma or ] at column 3, but found "1]"'],
    ['[1.]', 'expected a comma or ] at column 3, but found ".]"'],
    ['[-]', 'expected a value at column 2'],
    ['["a\tb"]', 'expected a closing quote, and no unescaped control character before it at column 4'],
    ['["\\x"]', 'expected an escape'],
    ['["\\u00g0"]', 'expected an escape'],
    ['nul', 'expected a value at column 1, but found "nul"'],
    ['1 2', 'expected the end at column 3, but found "2"'],
    ['{"a" 1}', 'expected a colon at column 6, but found "1}"'],
    ['\u0000', 'expected a value at column 1'],
  ])('that is no JSON is refused, wherever the fault is: %j', (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text, new Wanted())).toThrow(message);
  });

  it('may begin with a byte order mark, and hold one', () => {
    expect(read('\ufeff["\ufeffa"]')).toEqual(['\ufeffa']);
  });

  it('nests as deep as it may', () => {
    expect(() => read('['.repeat(512) + ']'.repeat(512))).not.toThrow();
    expect(() => read('['.repeat(513) + ']'.repeat(513))).toThrow('more than 512 levels deep');
    expect(() => read('{"a":'.repeat(100_000), new Wanted())).toThrow('more than 512 levels deep');
  });

  it('is read in steps, which tell what memory they take', () => {
    const long = bytes(JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ name: `n${n}` }))));
    const steps = [...readDocument(long, Wanted.everything)];
    expect(steps.length).toBeGreaterThan(4);
    expect(steps.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(20_000 * 100);
    const few = [...readDocument(long, new Wanted())];
    expect(few.reduce((sum, each) => sum + each, 0)).toBeLessThan(1000);
  });
});

describe('what nobody reads', () => {
  const wanted = wantedOf({
    labels: { a: '/a', b: '/x/b', c: '/list/1', d: { from: ['/o/name', '/o'] } },
    labelsFrom: { from: '/tags', prefix: 't_' },
  });

  it('is passed over, and what is read keeps its place', () => {
    const text =
      '{"a":"1","other":{"a":[1,{"b":2}]},"x":{"a":1,"b":[1,2]},"list":[{"z":1},"second",3],"tags":{"k":{"v":1}}}';
    expect(read(text, wanted)).toEqual({
      a: '1',
      x: { b: [] },
      list: [null, 'second'],
      tags: { k: { v: '#1' } },
    });
    expect(read('{"o":{"name":"n","more":1}}', wanted)).toEqual({ o: { name: 'n' } });
  });

  it.each([
    ['a name that stands twice', '{"a":"1","z":1,"z":2,"zz":{"y":1,"y":2}}'],
    ['a number beyond a float64', '{"a":"1","z":1e400,"zz":[1e400]}'],
    ['half a character', '{"a":"1","z":"\\ud800"}'],
  ])('refuses no body: %s', (_what, text) => {
    expect(read(text, wanted)).toEqual({ a: '1' });
  });

  it('refuses no body that is no UTF-8 there, and does where it is read', () => {
    const broken = (name: string) => new Uint8Array([...bytes(`{"a":"1","${name}":"`), 0xff, ...bytes('"}')]);
    expect(plain(parseDocument(broken('z'), wanted))).toEqual({ a: '1' });
    expect(() => parseDocument(broken('a'), wanted)).toThrow('not valid UTF-8');
  });

  it('of a name that stands twice where it is read, the last one counts', () => {
    expect(read('{"a":"1","a":"2"}', wanted)).toEqual({ a: '2' });
  });

  it('is found for items of an array, too, and for the whole body beside them', () => {
    const items = wantedOf({
      each: '/items',
      labels: { n: '/n', of: 'document:/of', first: 'document:/items/0/m' },
      id: '{digest:/key}',
    });
    const text = '{"of":"x","no":1,"items":[{"n":1,"m":2,"o":3},{"n":4,"m":5,"key":{"k":[6]}}],"items2":[1]}';
    expect(read(text, items)).toEqual({
      of: 'x',
      items: [
        { n: '#1', m: '#2', o: '#3' },
        { n: '#4', key: { k: ['#6'] } },
      ],
    });
    const root = wantedOf({ each: '', labels: { n: '/n' } });
    expect(read('[{"n":1,"m":2},3,[4]]', root)).toEqual([{ n: '#1' }, '#3', []]);
    expect(wantedOf({ labels: { a: '/a' }, id: '{digest:}' }).isWhole).toBe(true);
  });
});
