import { describe, expect, it } from 'vitest';
import { AccessFileError } from './error.ts';
import { Section, readYaml } from './yamlReader.ts';

const LONG = 'k'.repeat(3_000);

const sectionOf = (text: string, known: readonly string[] = ['a', 'b', 'c']) =>
  Section.whole('f.yml', readYaml('f.yml', text), known);

describe('a mapping of a YAML file', () => {
  it('gives every scalar as it is written', () => {
    const section = sectionOf('a: 007\nb: "yes"\nc: 1.50\n');
    expect([section.text('a'), section.text('b'), section.text('c')]).toEqual(['007', 'yes', '1.50']);
  });

  it.each(['', '~', 'null', 'Null'])('has nothing where there is %j', (nothing) => {
    const section = sectionOf(`a: ${nothing}\n`);
    expect([section.text('a'), section.boolean('a'), section.texts('a'), section.section('a')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has the empty text where that is quoted', () => {
    expect(sectionOf('a: ""\n').text('a')).toBe('');
  });

  it('takes booleans as YAML 1.1 has them, and numbers, without quotes only', () => {
    for (const word of ['true', 'Yes', 'on', 'y']) expect(sectionOf(`a: ${word}`).boolean('a')).toBe(true);
    for (const word of ['false', 'NO', 'Off', 'n']) expect(sectionOf(`a: ${word}`).boolean('a')).toBe(false);
    expect(sectionOf('a: -5').integer('a')).toBe(-5);
    for (const wrong of ['"true"', '1', 'tRUE', '[]'])
      expect(() => sectionOf(`a: ${wrong}`).boolean('a'), wrong).toThrow('f.yml: a must be true or false');
    for (const wrong of ['"5"', '5.0', 'five', '{}'])
      expect(() => sectionOf(`a: ${wrong}`).integer('a'), wrong).toThrow('f.yml: a must be a whole number');
  });

  it('follows anchors, and merges; what stands there itself wins', () => {
    const text = 'a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\nc: [&y u, *y]\n';
    const section = sectionOf(text);
    expect([section.section('b')?.text('p'), section.section('b')?.text('q')]).toEqual(['1', '3']);
    expect(section.texts('c')).toEqual(['u', 'u']);
  });

  it.each([
    ['a: 1\nd: 2', 'unknown key at line 2; the known keys are a, b, c'],
    ['a: 1\na: 2', 'line 2, column 1 (DUPLICATE_KEY)'],
    ['a: [1', 'is not valid YAML at line'],
    [
      'a: *none',
      'f.yml: a: the value begins with *, but there is no anchor with that name before it; correct',
    ],
    ['a: 1\n<<: *none', 'f.yml: the value begins with *, but there is no anchor with that name'],
    ['? [a]\n: 1', 'every key must be a string'],
    ['--- a\n--- b', 'is not valid YAML'],
    ['a: {b: [', 'is not valid YAML'],
  ])('%j is refused', (text, message) => {
    expect(() => sectionOf(text).text('a')).toThrow(message);
  });

  it.each([
    ['a key with an alias', `a:\n  ? ${LONG}\n  : *${LONG}`, 'f.yml: a: line 2: the value begins with *'],
    ['a key', `? ${LONG}\n: 1`, 'unknown key at line 1'],
    ['a key with a list', `a:\n  ? ${LONG}\n  : [1]`, 'f.yml: a: line 2 must be a string'],
    ['a key with a section', `a:\n  ? ${LONG}\n  : {<<: *c}`, 'f.yml: a: line 2: the value begins with *'],
    ['a key of two lines', `a:\n  "b\\nc": [1]`, 'f.yml: a: line 2 must be a string'],
  ])('%s that is long or odd is not shown, only its line', (_what, text, message) => {
    const read = () => {
      const section = sectionOf(text).section('a');
      section?.keys().forEach((key) => section.text(key));
    };
    expect(read).toThrow(message);
    expect(read).not.toThrow(/kkk|.{300}|\n/u);
  });

  it('that never ends opening is refused, and so is one that holds itself', () => {
    expect(() => sectionOf(`a: ${'['.repeat(200_000)}`)).toThrow(AccessFileError);
    expect(sectionOf('a: &x\n  <<: *x\n  b: 1\n').section('a', ['b'])?.text('b')).toBe('1');
  });

  it('does not grow when its anchors would', () => {
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}]`);
    const text = `a: b\nl0: &l0 x\n${levels.join('\n')}\n`;
    const known = ['a', ...Array.from({ length: 31 }, (_, i) => `l${i}`)];
    expect(sectionOf(text, known).text('a')).toBe('b');
  });
});
