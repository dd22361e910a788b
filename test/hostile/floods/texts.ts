import type { Random } from '../../faults/random.ts';

/** What the letters of a text take: bytes on the wire, and bytes in V8, which keeps a text in one or in two a letter. */
export type Encoding = 'ascii' | 'latin1' | 'cyrillic' | 'emoji' | 'newline' | 'backslash';

interface Alphabet {
  readonly letters: readonly string[];
  /** Each letter's bytes in UTF-8. */
  readonly bytes: number;
}

const between = (first: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => String.fromCodePoint((first.codePointAt(0) ?? 0) + at));

const ALPHABETS: Record<Encoding, Alphabet> = {
  ascii: { letters: between('a', 26), bytes: 1 },
  latin1: { letters: between('à', 24), bytes: 2 },
  cyrillic: { letters: between('а', 32), bytes: 2 },
  emoji: { letters: between('😀', 48), bytes: 4 },
  newline: { letters: ['\n'], bytes: 1 },
  backslash: { letters: ['\\'], bytes: 1 },
};

/** How often a text of one seed is taken from another place before it repeats itself. */
const STOCK = 64;
/** A count in a text is so long, so that texts have one length. */
const COUNT_DIGITS = 9;

/** Makes distinct texts of one length in bytes and one encoding; the same ones for the same seed. */
export function textsOf(encoding: Encoding, bytes: number, random: Random): (count: number) => string {
  const { letters, bytes: each } = ALPHABETS[encoding];
  const filled = Math.max(0, Math.floor((bytes - COUNT_DIGITS) / each));
  const stock = Array.from({ length: STOCK }, () =>
    Array.from({ length: filled }, () => random.pick(letters)).join(''),
  );
  return (count) => `${String(count).padStart(COUNT_DIGITS, '0')}${stock[count % STOCK] ?? ''}`;
}
