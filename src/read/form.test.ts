import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mulberry32, randomQuery } from '../../test/support/randomEvents.ts';
import { parseSamples } from '../../test/support/strictParser.ts';
import { RefusedError } from '../core/errors.ts';
import { draftFromPairs } from '../intake/draft.ts';
import { eventFromDraft } from '../intake/eventFromDraft.ts';
import type { FormSource } from './form.ts';
import { parseForm } from './form.ts';
import { WIDE_LIMITS } from '../../test/support/rules.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** As Node hands a URL's bytes on. */
const asUrl = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

function refusal(run: () => unknown): RefusedError {
  try {
    run();
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

/** The pairs, or undefined where the form is refused. */
function acceptedOf(
  source: FormSource,
  raw: string | Uint8Array,
): readonly (readonly [string, string])[] | undefined {
  try {
    return parseForm(source, raw, 50);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

describe('a form', () => {
  test.each(['url', 'body'] as const)('from the %s that is empty holds nothing', (source) => {
    expect(parseForm(source, '', 10)).toEqual([]);
    expect(parseForm(source, new Uint8Array(), 10)).toEqual([]);
  });

  test('keeps pairs in order, repeated ones too', () => {
    expect(parseForm('url', 'b=1&a=2&b=1', 3)).toEqual([
      ['b', '1'],
      ['a', '2'],
      ['b', '1'],
    ]);
  });

  test('may hold as many pairs as allowed, and not one more, empty pieces aside', () => {
    expect(parseForm('url', '&&a=1&&b=2&&', 2)).toHaveLength(2);
    expect(refusal(() => parseForm('url', 'a=1&b=2&c', 2)).field).toBe('url');
    expect(refusal(() => parseForm('body', 'a=1&b=2&c', 2)).field).toBe('body');
  });

  test('of a URL takes raw bytes as UTF-8, alone and beside escapes', () => {
    expect(parseForm('url', asUrl('x=ü'), 1)).toEqual([['x', 'ü']]);
    expect(parseForm('url', asUrl('ü=漢🚀+%20a'), 1)).toEqual([['ü', '漢🚀  a']]);
    expect(parseForm('url', 'x=\u00c3%BC', 1)).toEqual([['x', 'ü']]);
  });

  test.each(['\u00ff', '\u00c3', '\u00c3(', '\u0080', '\u00ed\u00a0\u0080'])(
    'of a URL refuses raw bytes that are no UTF-8: %j',
    (raw) => {
      expect(refusal(() => parseForm('url', `good=1&x=${raw}`, 9)).field).toBe('x');
      expect(refusal(() => parseForm('url', `${raw}=1`, 9)).field).toBe('url');
    },
  );

  test('of a URL refuses characters that are no bytes', () => {
    expect(refusal(() => parseForm('url', 'x=漢', 9)).field).toBe('url');
  });

  test('of a body takes text as text, and bytes as UTF-8', () => {
    expect(parseForm('body', 'x=ü', 1)).toEqual([['x', 'ü']]);
    expect(parseForm('body', bytes('x=ü+%C3%BC🚀'), 1)).toEqual([['x', 'ü ü🚀']]);
    expect(parseForm('body', bytes('\ufeffx=1'), 1)).toEqual([['\ufeffx', '1']]);
  });

  test('of a body refuses bytes that are no UTF-8, and halves of surrogate pairs', () => {
    expect(refusal(() => parseForm('body', Uint8Array.of(0x78, 0x3d, 0xff), 1)).field).toBe('body');
    expect(refusal(() => parseForm('body', 'x=\ud83d', 1)).field).toBe('body');
  });

  test('repeats no more than the beginning of what it refuses', () => {
    const error = refusal(() => parseForm('url', `${'n'.repeat(5000)}=${'v'.repeat(5000)}%`, 1));
    expect(error.message.length).toBeLessThan(300);
    expect(error.field.length).toBeLessThan(100);
  });

  test('gives back whatever URLSearchParams encodes, but for line breaks at the end of a value in a body', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const pair = fc.tuple(
      text.filter((name) => name !== ''),
      text,
    );
    fc.assert(
      fc.property(
        fc.array(pair, { maxLength: 10 }),
        fc.constantFrom('url' as const, 'body' as const),
        (pairs, source) => {
          const kept = pairs.map(([name, value]) => [
            name,
            source === 'body' ? value.replace(/[\r\n]+$/, '') : value,
          ]);
          expect(parseForm(source, new URLSearchParams(pairs).toString(), 10)).toEqual(kept);
        },
      ),
    );
  });

  test('reads what it accepts as URLSearchParams does, and refuses where that puts a replacement character', () => {
    // ASCII only: Node's URLSearchParams takes a raw é for the byte E9, and reads `é%AC%9f` as one character.
    const escapes = ['%41', '%00', '%C3', '%BC', '%E2', '%82', '%AC', '%ED', '%A0', '%F0', '%9f'];
    const piece = fc.constantFrom('a', '=', '&', '+', '%', ';', ...escapes);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const form = pieces.join('');
        const lenient = [...new URLSearchParams(form)];
        const broken =
          lenient.some(([name, value]) => name === '' || `${name}${value}`.includes('\ufffd')) ||
          /%(?![0-9a-f]{2})/i.test(form);
        expect(acceptedOf('body', form)).toEqual(broken ? undefined : lenient);
      }),
      { numRuns: 2000 },
    );
  });

  test('of any bytes at all is refused, or gives texts that are valid Unicode', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom('url' as const, 'body' as const),
        (raw, source) => {
          const given = source === 'url' ? Buffer.from(raw).toString('latin1') : raw;
          const texts = (acceptedOf(source, given) ?? []).flat();
          expect(texts.every((text) => text.isWellFormed())).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('random queries', () => {
  const rules = {
    metric: 'events',
    limits: { ...WIDE_LIMITS, idBytesMax: 32 },
    names: 'legacy' as const,
    reserved: () => false,
  };

  test('are accepted or refused as they foretell, and arrive as they were meant', () => {
    const random = mulberry32(1);
    const seen = new Map<string, number>();
    for (let left = 20_000; left > 0; left--) {
      const wanted = randomQuery(random);
      seen.set(wanted.why, (seen.get(wanted.why) ?? 0) + 1);
      if (!/^[!-~]{0,9999}$/.test(wanted.query))
        throw new Error(`not a query: ${wanted.query.slice(0, 200)}`);
      let line: string | undefined;
      try {
        const event = eventFromDraft(draftFromPairs(parseForm('url', wanted.query, 130)), rules);
        line = `${event.series} 1\n`;
        expect(event.value).toBe(wanted.value);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
      }
      if ((line === undefined) !== (wanted.verdict === 'refused')) throw new Error(JSON.stringify(wanted));
      if (line === undefined) continue;
      const [sample] = parseSamples(Buffer.from(line));
      expect(sample?.labels).toEqual(wanted.labels);
      expect(sample?.name).toBe(wanted.metric ?? 'events');
    }
    const share = (seen.get('acceptable') ?? 0) / 20_000;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.75);
    expect(seen.size).toBeGreaterThan(15);
    expect(Math.min(...seen.values())).toBeGreaterThan(50);
  });

  test('are the same for the same seed', () => {
    expect(randomQuery(mulberry32(7))).toEqual(randomQuery(mulberry32(7)));
    expect(mulberry32(7)()).not.toBe(mulberry32(8)());
  });
});

describe('a line break at the end of a value', () => {
  test.each([
    ['a=x%0A', 'x'],
    ['a=x%0D%0A', 'x'],
    ['a=x\r\n', 'x'],
    ['a=x%0A%0A', 'x'],
    ['a=%0A', ''],
    ['a=x%0Ay', 'x\ny'],
    ['a=%0Ax', '\nx'],
  ])('of a body is no part of it: %j', (raw, value) => {
    expect(parseForm('body', raw, 1)).toEqual([['a', value]]);
  });

  test('of a URL stays', () => {
    expect(parseForm('url', 'a=x%0A', 1)).toEqual([['a', 'x\n']]);
  });
});
