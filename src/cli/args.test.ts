import { describe, expect, it } from 'vitest';
import { text } from '../config/valueTypes.ts';
import { duration } from '../config/quantities.ts';
import { readArgs } from './args.ts';
import { UsageError } from './options.ts';

const OPTIONS = {
  value: { type: text(), short: 'v', doc: '' },
  wait: { type: duration({ min: 0, max: 1000 }), doc: '' },
  url: { type: text(), env: 'ONESHOT_URL', doc: '' },
  soon: { type: duration({ min: 0, max: 1000 }), alone: '1s', doc: '' },
  json: { doc: '' },
  header: { type: text(), short: 'H', isMany: true, doc: '' },
  'no-spool': { doc: '' },
};
const read = (argv: readonly string[], env = {}) => readArgs(argv, OPTIONS, env);

describe('a command line', () => {
  it('has options anywhere before --, words in order, and a rest that nobody reads', () => {
    const args = read(['deploy', '--json', 'a=1', '-v', '3', '--no-spool', '--', 'ls', '--json', '--', '-x']);
    expect(args.words).toEqual(['deploy', 'a=1']);
    expect(args.rest).toEqual(['ls', '--json', '--', '-x']);
    expect([args.on('json'), args.on('no-spool'), args.text('value')]).toEqual([true, true, '3']);
  });

  it.each([
    ['--value=-1', '-1'],
    ['--value=', ''],
    ['--value=a=b', 'a=b'],
  ])('%s gives %j', (word, value) => {
    expect(read([word]).text('value')).toBe(value);
  });

  it('collects what may be given several times', () => {
    expect(read(['-H', 'a: 1', '--header=b: 2']).texts('header')).toEqual(['a: 1', 'b: 2']);
    expect(read([]).texts('header')).toEqual([]);
  });

  it('takes a word behind an option that may stand alone, if it can not be its value', () => {
    const args = read(['--soon', 'deploy']);
    expect([args.words, args.number('soon')]).toEqual([['deploy'], 1000]);
    expect(read(['--soon=5ms', '7ms']).words).toEqual(['7ms']);
  });

  it('takes a negative number as a value', () => {
    expect(read(['--value', '-1.5']).text('value')).toBe('-1.5');
  });

  it('without -- has no rest', () => {
    expect(read(['a']).rest).toBeUndefined();
    expect(read(['a', '--']).rest).toEqual([]);
  });

  it('wins over a variable, and an empty variable is none', () => {
    expect(read([], { ONESHOT_URL: 'b' }).text('url')).toBe('b');
    expect(read(['--url=a'], { ONESHOT_URL: 'b' }).text('url')).toBe('a');
    expect(read([], { ONESHOT_URL: '' }).text('url')).toBeUndefined();
  });

  it.each([
    [['--vlaue=3'], 'unknown flag "--vlaue" (did you mean --value?); see --help for all flags'],
    [['-x'], 'unknown flag "-x"; see --help for all flags'],
    [['--toString'], 'unknown flag "--toString"; see --help for all flags'],
    [['--value'], '--value needs a value; write --value=<text>'],
    [['--value', '--json'], '--value needs a value; write --value=<text>'],
    [['a', '--soon', '5ms'], '--soon takes its value behind an equals sign; write --soon=5ms'],
    [['--json=yes'], '--json takes no value, not "yes"; write --json alone'],
    [['--json', '--json'], '--json appears more than once; use it once'],
    [['--wait=5'], '--wait must be a duration from 0 to 1s, not "5"; add a unit, for example 5s or 5ms'],
  ])('%j is refused', (argv, message) => {
    expect(() => read(argv)).toThrow(new UsageError(message));
  });

  it('names the variable that holds a wrong value', () => {
    const options = { wait: { ...OPTIONS.wait, env: 'ONESHOT_WAIT' } };
    expect(() => readArgs([], options, { ONESHOT_WAIT: 'x' })).toThrow(/^ONESHOT_WAIT must be a duration/);
  });
});
