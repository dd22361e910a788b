import { describe, expect, test } from 'vitest';
import { RefusedError } from './errors.ts';
import { checkLabelValue, checkMetricName, labelName } from './labels.ts';
import { WIDE_LIMITS } from '../../test/support/rules.ts';

const limits = { ...WIDE_LIMITS, idBytesMax: 32 };
const metric = (name: string) =>
  checkMetricName('__name__', name, limits, (own) => own.startsWith('oneshot_'));
const value = (text: string) => () => checkLabelValue('env', text, limits);

function fieldOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RefusedError) return error.field;
    throw error;
  }
  throw new Error('was accepted');
}

describe("a metric's name", () => {
  test.each(['a', '_', ':', 'a:b_C9', 'oneshot', 'x'.repeat(256)])('may be %s', (name) => {
    expect(metric(name)).toBe(name);
  });

  test.each(['', '9a', 'a-b', 'a b', 'a.b', 'ü', 'a\n', 'a{b="c"}'])('is never %j', (name) => {
    expect(() => metric(name)).toThrow(/is not a valid metric name; it must match/);
    expect(fieldOf(() => metric(name))).toBe('__name__');
  });

  test('is at most as long as its limit', () => {
    expect(() => metric('x'.repeat(257))).toThrow(/longer than 256 bytes/);
  });

  test.each(['up', 'scrape_duration_seconds', 'scrape_samples_scraped'])(
    'is not one that Prometheus adds itself: %s',
    (name) => {
      expect(() => metric(name)).toThrow(/Prometheus itself/);
    },
  );

  test("is not one of the server's own", () => {
    expect(() => metric('oneshot_events')).toThrow(/this server's own/);
  });
});

describe("a label's name", () => {
  test.each(['a', '_', '_a', 'A9', 'value_', 'n'.repeat(256)])('may be %s', (name) => {
    expect(labelName(name, limits)).toBe(name);
  });

  test('has _ for each space', () => {
    expect(labelName('my  own label ', limits)).toBe('my__own_label_');
  });

  test.each(['', '9', 'a-b', 'a:b', 'a.b', 'ü', 'a\n', 'a\tb', 'a"', ' ü'])('is never %j', (name) => {
    expect(() => labelName(name, limits)).toThrow(/is not valid; it must match/);
    expect(fieldOf(() => labelName(name, limits))).toBe(name);
  });

  test.each(['__', '__x', '__name__', ' _x', '  x', '_ x'])(
    'never begins with two underscores, spaces for them included: %j',
    (name) => {
      expect(() => labelName(name, limits)).toThrow(/begin with __/);
    },
  );

  test('is at most as long as its limit, and an error repeats only its beginning', () => {
    const long = 'n'.repeat(100_000);
    expect(() => labelName('n'.repeat(257), limits)).toThrow(/longer than 256 bytes/);
    expect(fieldOf(() => labelName(long, limits)).length).toBeLessThan(100);
    expect(() => labelName(long, limits)).toThrow(/^.{0,300}$/);
  });
});

describe("a label's value", () => {
  test.each(['', ' ', '"\\\n\r\0', '\u2028', '\ufeff', '🚀', '\ufffd', '\u{10ffff}'])('may be %j', (text) => {
    expect(value(text)).not.toThrow();
  });

  test.each([
    ['ASCII', 'x'.repeat(4096)],
    ['two bytes each', 'ü'.repeat(2048)],
    ['three bytes each', `${'漢'.repeat(1365)}x`],
    ['four bytes each', '🚀'.repeat(1024)],
  ])('may be exactly as long as its limit in bytes, and one byte more is refused: %s', (_what, text) => {
    expect(Buffer.byteLength(text)).toBe(4096);
    expect(value(text)).not.toThrow();
    expect(value(`${text}x`)).toThrow(/^value of label "env" .* is longer than 4096 bytes/);
    expect(fieldOf(value(`${text}x`))).toBe('env');
  });

  test.each(['\ud83d', 'a\ude80', '\ude80\ud83d'])('is never half of a surrogate pair: %j', (text) => {
    expect(value(text)).toThrow(/half a surrogate pair/);
  });
});

describe('a name where all of UTF-8 is taken', () => {
  const metricName = (name: string) =>
    checkMetricName('__name__', name, limits, (own) => own.startsWith('oneshot_'), 'utf8');
  const label = (name: string) => labelName(name, limits, 'utf8');

  test.each(['a', 'a.b', 'a b', ' ', '9', 'ü', '🚀', 'a"\\\n', '{}', 'a:b', '\u0001', 'ü'.repeat(128)])(
    'is kept to the letter: %j',
    (name) => {
      expect(metricName(name)).toBe(name);
      expect(label(name)).toBe(name);
    },
  );

  test.each(['', '\ud83d', 'a\ude80', 'a\0b'])(
    'is never empty, nor half a character, nor with NUL: %j',
    (name) => {
      expect(() => metricName(name)).toThrow(/must be valid Unicode/);
      expect(() => label(name)).toThrow(/must be valid Unicode/);
    },
  );

  test('is measured in bytes', () => {
    expect(() => metricName(`${'ü'.repeat(128)}x`)).toThrow(/longer than 256 bytes/);
    expect(() => label(`${'ü'.repeat(128)}x`)).toThrow(/longer than 256 bytes/);
  });

  test.each(['__', '__x', '__name__'])('of a label still never begins with two underscores: %j', (name) => {
    expect(() => label(name)).toThrow(/begin with __/);
  });

  test.each(['up', 'scrape.duration.seconds', 'oneshot_x', 'oneshot.x', 'oneshot x'])(
    'of a metric is not one that an older scraper would take for one of those that are taken: %s',
    (name) => {
      expect(() => metricName(name)).toThrow(/Prometheus itself|this server's own/);
    },
  );

  test.each(['a.b', 'ü', 'a-b'])(
    'is refused where it is not, and the error names the setting: %s',
    (name) => {
      expect(() => metric(name)).toThrow(/; event\.names=utf8 accepts it$/);
      expect(() => labelName(name, limits)).toThrow(/; event\.names=utf8 accepts it$/);
    },
  );

  test.each(['', 'a\0'])('that is never taken is refused without that: %j', (name) => {
    expect(() => metric(name)).toThrow(/^(?!.*event\.names)/s);
    expect(() => labelName(name, limits)).toThrow(/^(?!.*event\.names)/s);
  });
});
