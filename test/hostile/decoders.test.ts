import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/read/webhooks/senders/senders.ts';
import type { Decoder } from './decoders.ts';
import { DECODERS } from './decoders.ts';

const RUNS = 300;
const SPOILS_MAX = 6;

/** What breaks readers: pieces to be set into what is good. */
const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '&',
  '=',
  '%',
  '+',
  '-',
  '~',
  '/',
  '*',
  '<<: *h\n',
  '&h ',
  '*h',
  '\n',
  '\r',
  '\t',
  '\0',
  '\u00fc',
  '\u2028',
  '\ud83d\ude80',
  '\\ud800',
  '\\u0000',
  '"__proto__":',
  '"constructor":',
  '__proto__',
  'null',
  'true',
  '1e400',
  '-0',
  '1e-400',
  '[]',
  '{}',
  '[[[[[[[[',
  '- ',
  '? ',
  '!!binary ',
  '--- \n',
  '%YAML 1.2\n',
  '%',
  '%FF',
  '%00',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '99999999999999999999',
] as const;

/** One thing that is done to bytes, at a place told as a share of their length. */
const spoil = fc.oneof(
  fc.record({ how: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    how: fc.constant('set' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    piece: fc.oneof(
      fc.constantFrom(...PIECES).map((piece) => Buffer.from(piece)),
      fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    ),
  }),
  fc.record({
    how: fc.constant('repeat' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.nat(40),
    times: fc.integer({ min: 2, max: 200 }),
  }),
  fc.record({
    how: fc.constant('drop' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.integer({ min: 1, max: 12 }),
  }),
);
type Spoil = typeof spoil extends fc.Arbitrary<infer T> ? T : never;

function spoilt(bytes: Buffer, todo: Spoil): Buffer {
  const place = Math.floor(todo.at * bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (todo.how) {
    case 'cut':
      return before;
    case 'set':
      return Buffer.concat([before, todo.piece, after]);
    case 'repeat': {
      const part = after.subarray(0, todo.bytes);
      return Buffer.concat([before, ...Array.from({ length: todo.times }, () => part), after]);
    }
    case 'drop':
      return Buffer.concat([before, after.subarray(todo.bytes)]);
    default:
      return todo satisfies never;
  }
}

/** What a decoder is given: anything, or something good that was spoilt. */
const bytesFor = ({ good }: Decoder) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom(...good), fc.array(spoil, { minLength: 1, maxLength: SPOILS_MAX }))
        .map(([text, spoils]) => spoils.reduce(spoilt, Buffer.from(text))),
    },
  );

describe('a decoder gives what is checked, or throws its own error and no other', () => {
  it.each(DECODERS.map((decoder) => [decoder.name, decoder] as const))('%s', async (_name, decoder) => {
    await fc.assert(
      fc.asyncProperty(bytesFor(decoder), async (bytes) => {
        try {
          expect(await decoder.decode(bytes)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          if (!(error instanceof decoder.error)) throw error;
          expect(error.message.length).toBeLessThan(1000);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

it.each(DECODERS.flatMap(({ name, good, decode }) => good.map((text) => [name, text, decode] as const)))(
  'what is spoilt was good before: %s, %s',
  async (_name, text, decode) => {
    expect(await decode(Buffer.from(text))).toBeGreaterThan(0);
  },
);

it('no webhook that is ready-made is left out', () => {
  const names = DECODERS.map(({ name }) => name);
  for (const { name } of PRESETS) expect(names).toContain(`the webhook ${name}`);
});
