import { describe, expect, it } from 'vitest';
import { readFlags } from './flags.ts';
import { boolean, text } from './valueTypes.ts';
import { setting } from './setting.ts';

const TABLE = {
  'a.name': setting({ type: text(), default: '', doc: 'A name.' }),
  'a.loud': setting({ type: boolean(), default: false, doc: 'Loud or not.' }),
};

function values(...argv: string[]): Record<string, unknown> {
  return Object.fromEntries([...readFlags(argv, TABLE).given].map(([key, given]) => [key, given.parse()]));
}

describe('a flag', () => {
  it('takes its value after an equals sign or as the next word', () => {
    expect(values('--a.name=x')).toStrictEqual({ 'a.name': 'x' });
    expect(values('--a.name', 'x')).toStrictEqual({ 'a.name': 'x' });
  });

  it('keeps equals signs, dashes and nothing at all in its value', () => {
    expect(values('--a.name=x=y')).toStrictEqual({ 'a.name': 'x=y' });
    expect(values('--a.name=--b')).toStrictEqual({ 'a.name': '--b' });
    expect(values('--a.name', '-1')).toStrictEqual({ 'a.name': '-1' });
    expect(values('--a.name=')).toStrictEqual({ 'a.name': '' });
  });

  it('of a boolean may stand alone, in any place', () => {
    expect(values('--a.loud')).toStrictEqual({ 'a.loud': true });
    expect(values('--a.loud', '--a.name=x')).toStrictEqual({ 'a.loud': true, 'a.name': 'x' });
    expect(values('--a.loud', 'false')).toStrictEqual({ 'a.loud': false });
    expect(values('--a.loud=false')).toStrictEqual({ 'a.loud': false });
  });

  it.each([[['--a.name']], [['--a.name', '--a.loud']]])(
    'without the value it needs is refused: %j',
    (argv) => {
      expect(() => values(...argv)).toThrow('flag --a.name needs a value; write --a.name=<text>');
    },
  );

  it('given twice is refused', () => {
    expect(() => values('--a.name=x', '--a.name', 'y')).toThrow(
      'flag "--a.name" appears more than once; use it once',
    );
    expect(() => values('--print-config', '--print-config')).toThrow(/more than once/);
  });

  it.each([
    [
      '--a.nme=secret',
      'unknown flag "--a.nme" (did you mean --a.name?); oneshot serve --help lists all flags',
    ],
    ['-a.name', 'unknown flag "-a.name" (did you mean --a.name?); oneshot serve --help lists all flags'],
    [
      '--print-confg',
      'unknown flag "--print-confg" (did you mean --print-config?); oneshot serve --help lists all flags',
    ],
    ['--constructor=1', 'unknown flag "--constructor"; oneshot serve --help lists all flags'],
    ['--__proto__', 'unknown flag "--__proto__"; oneshot serve --help lists all flags'],
    ['-x', 'unknown flag "-x"; oneshot serve --help lists all flags'],
    ['--', 'unknown flag "--"; oneshot serve --help lists all flags'],
  ])('that is not known is refused: %s', (word, message) => {
    expect(() => values(word)).toThrow(message);
  });
});

describe('the command line', () => {
  it.each(['start', ''])('takes no arguments, so %j is refused', (word) => {
    expect(() => values(word)).toThrow(
      `unexpected argument ${JSON.stringify(word)}; write settings as --key=value, see oneshot serve --help`,
    );
  });

  it('asks to run unless it asks for something else', () => {
    expect(readFlags([], TABLE).action).toBe('run');
    expect(readFlags(['--print-config', '--a.name=x'], TABLE).action).toBe('print-config');
    expect(readFlags(['--version'], TABLE).action).toBe('version');
  });

  it.each([['--help'], ['-h']])('gets help by %s, whatever else is wrong with it', (help) => {
    expect(readFlags(['oops', '--nonsense', '--version', help], TABLE).action).toBe('help');
  });

  it('refuses a value where none belongs', () => {
    expect(() => values('--help=x')).toThrow('flag --help takes no value, not "x"; write --help alone');
  });
});
