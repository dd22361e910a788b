import { describe, expect, test } from 'vitest';
import type { Random } from '../../test/support/randomEvents.ts';
import { mulberry32 } from '../../test/support/randomEvents.ts';
import type { Read } from '../intake/draft.ts';
import { RefusedError, TooLargeError } from '../core/errors.ts';
import { readJsonEvent } from './jsonEvents.ts';
import { readNdjson, readNdjsonBody } from './ndjson.ts';
import { PlainReader } from './plainReader.ts';

const LIMITS = { lineBytesMax: 1000, bytesMax: 100_000 };

type Body = string | Uint8Array;

const bytesOf = (body: Body) => (typeof body === 'string' ? new TextEncoder().encode(body) : body);

/** What was read, and the error that ended it, if one did; in chunks that end behind so many bytes. */
async function reading(
  body: Body,
  cuts: readonly number[] = [],
  limits = LIMITS,
): Promise<{ readonly reads: readonly Read[]; readonly error?: unknown }> {
  const bytes = bytesOf(body);
  async function* chunks() {
    let from = 0;
    for (const cut of [...cuts, bytes.length]) {
      yield bytes.subarray(from, cut);
      from = cut;
    }
  }
  const reads: Read[] = [];
  try {
    for await (const some of readNdjson(chunks(), limits, new PlainReader()))
      for (const read of some) reads.push(read);
    return { reads };
  } catch (error) {
    return { reads, error };
  }
}

/** The same, a line at a time, each by the strict reader alone. */
function strictly(body: Body): Read[] {
  const bytes = bytesOf(body);
  const reads: Read[] = [];
  let from = 0;
  while (from < bytes.length) {
    const found = bytes.indexOf(0x0a, from);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(from, end);
    if (!line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) reads.push(strictLine(line));
    from = end + 1;
  }
  return reads;
}

function strictLine(line: Uint8Array): Read {
  try {
    return readJsonEvent(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch (error) {
    if (error instanceof RefusedError) return error;
    return new RefusedError('body', 'body is not valid UTF-8; send text as UTF-8', { cause: error });
  }
}

/** To be compared: errors by what they say. */
const told = (reads: readonly Read[]) =>
  reads.map((read) => (read instanceof RefusedError ? `${read.field}: ${read.message}` : read));

const EVENT = '{"labels":{"type":"deploy","stadt":"Zürich 東京 \u{1f600}"}}';

describe('lines', () => {
  test('may be cut anywhere into chunks, in the middle of a character and of a line end too', async () => {
    const body = `${EVENT}\r\n\n{"value":2}\n \t\r\n{"labels":{"a":"\\n"}}\nx\n${EVENT}`;
    const { length } = bytesOf(body);
    const whole = await reading(body);
    expect(told(whole.reads)).toEqual(told(strictly(body)));
    expect(whole.reads).toHaveLength(5);
    for (let cut = 0; cut <= length; cut += 1) {
      expect(told((await reading(body, [cut])).reads), String(cut)).toEqual(told(whole.reads));
      expect(told((await reading(body, [cut, cut, Math.min(cut + 2, length)])).reads), String(cut)).toEqual(
        told(whole.reads),
      );
    }
    expect(
      told(
        (
          await reading(
            body,
            Array.from({ length }, (_, place) => place),
          )
        ).reads,
      ),
    ).toEqual(told(whole.reads));
  });

  test.each(['', '\n', ' \r\n\t\n\n', ' '])('that are blank, %j, are no events', async (body) => {
    expect(await reading(body)).toEqual({ reads: [] });
    expect(await reading(body, [0, 1])).toEqual({ reads: [] });
  });

  test('may each begin with a byte order mark', async () => {
    const { reads } = await reading('\ufeff{}\n\ufeff{"value":1}\n\ufeff\ufeff{}\n\ufeff\n');
    expect(told(reads)).toEqual(told(strictly('\ufeff{}\n\ufeff{"value":1}\n\ufeff\ufeff{}\n\ufeff\n')));
    expect(reads.slice(0, 2)).toEqual([{ labels: [] }, { labels: [], value: '1' }]);
  });

  test('that are not UTF-8 are refused, and those around them are not', async () => {
    const body = Buffer.concat([
      Buffer.from(`${EVENT}\n{"labels":{"a":"`),
      Buffer.from([0xff, 0xc3]),
      Buffer.from(`"}}\n${EVENT}\n\ufeff{}\n`),
    ]);
    const { reads } = await reading(body);
    expect(told(reads)).toEqual(told(strictly(body)));
    expect(reads.filter((read) => read instanceof RefusedError)).toHaveLength(1);
  });

  test('are read when they are asked for: nothing behind the first is, where nobody does', async () => {
    async function* chunks() {
      yield bytesOf('{}\n{}\n');
      throw new Error('was asked for');
    }
    for await (const some of readNdjson(chunks(), LIMITS, new PlainReader())) {
      const [first] = some;
      expect(first).toEqual({ labels: [] });
      break;
    }
  });
});

describe('what is too long', () => {
  const long = `{"labels":{"a":"${'ü'.repeat(492)}"}}`;

  test('is a line of one byte more than a line may have, in one chunk or in several, behind the lines before it', async () => {
    expect(bytesOf(long)).toHaveLength(1003);
    for (const cuts of [[], [3], [4], [500], [3, 700, 1006]]) {
      const just = await reading(`{}\n${long}\n{}\n`, cuts, { ...LIMITS, lineBytesMax: 1003 });
      expect(just.error).toBeUndefined();
      expect(just.reads).toHaveLength(3);
      for (const body of [`{}\n${long}\n{}\n`, `{}\n${long}`]) {
        const { reads, error } = await reading(body, cuts, { ...LIMITS, lineBytesMax: 1002 });
        expect(reads).toEqual([{ labels: [] }]);
        expect(error).toBeInstanceOf(TooLargeError);
        expect(error).toMatchObject({
          field: 'body',
          message: expect.stringContaining('a line is longer than 1002 bytes'),
        });
      }
    }
  });

  test('is no line that is short, among many', async () => {
    const { reads, error } = await reading('{}\r\n'.repeat(5000));
    expect(error).toBeUndefined();
    expect(reads).toHaveLength(5000);
  });

  test('is a body, as soon as a chunk goes beyond its limit', async () => {
    const { reads, error } = await reading('{}\n'.repeat(10), [12], { ...LIMITS, bytesMax: 29 });
    expect(reads).toHaveLength(4);
    expect(error).toBeInstanceOf(TooLargeError);
    expect(error).toMatchObject({ message: expect.stringContaining('longer than 29 bytes') });
    expect((await reading('{}\n'.repeat(10), [12], { ...LIMITS, bytesMax: 30 })).error).toBeUndefined();
  });
});

const PIECES = [
  EVENT,
  '{"labels":{"n":"1"}}',
  '{"labels": {"n": 1}, "value": 2.5}',
  '{}',
  '\n',
  '\n',
  '\n',
  '\r\n',
  ' ',
  '\ufeff',
  'x',
  '{"labels":{"a":"\\u00e9"}}',
  '"',
  '{',
  '}',
  '\u0000',
];

test.each([1, 2, 3])(
  'lines of random pieces, in random chunks, are read as by the strict reader line by line, seed %i',
  async (seed) => {
    const random = mulberry32(seed);
    for (let round = 0; round < 500; round += 1) {
      const body = Buffer.from(
        Array.from({ length: 20 }, () => pick(random, PIECES)).join(random() < 0.5 ? '\n' : ''),
      );
      // A byte that makes it no UTF-8.
      if (random() < 0.2) body[Math.floor(random() * body.length)] = 0xff;
      const cuts = Array.from({ length: Math.floor(random() * 4) }, () =>
        Math.floor(random() * body.length),
      ).toSorted((a, b) => a - b);
      const { reads, error } = await reading(body, cuts, { ...LIMITS, lineBytesMax: 10_000 });
      expect(error).toBeUndefined();
      expect(told(reads)).toEqual(told(strictly(body)));
      // Whole, it may be longer than any of its lines.
      const longest = Math.max(
        ...body
          .toString('latin1')
          .split('\n')
          .map(({ length }) => length),
      );
      for (const lineBytesMax of [longest, 10_000])
        expect(told([...readNdjsonBody(body, { ...LIMITS, lineBytesMax }, new PlainReader())])).toEqual(
          told(reads),
        );
      const tooLow = { ...LIMITS, lineBytesMax: longest - 1 };
      if (longest > 0)
        expect(() => [...readNdjsonBody(body, tooLow, new PlainReader())]).toThrow(TooLargeError);
    }
  },
);

test('bodies that are read by turns, by one reader that all share, are read as by one of their own', async () => {
  const random = mulberry32(4);
  const shared = new PlainReader();
  for (let round = 0; round < 200; round += 1) {
    // Half of the names are new, so that now and then all that was learned is forgotten in the midst of a body.
    const bodies = Array.from({ length: 3 }, (_, which) => {
      const line = (n: number) =>
        random() < 0.5 ? pick(random, PIECES) : `{"labels":{"a${round}_${which}_${n}":"x","b":"y"}}`;
      return Buffer.from(Array.from({ length: 10 }, (__, n) => line(n)).join('\n'));
    });
    const lines = bodies.map((body) => readNdjsonBody(body, LIMITS, shared)[Symbol.iterator]());
    const reads: Read[][] = bodies.map(() => []);
    for (let open = [...lines.keys()]; open.length > 0;) {
      const which = pick(random, open);
      const next = lines[which]?.next();
      if (next?.done === false) reads[which]?.push(next.value);
      else open = open.filter((each) => each !== which);
    }
    for (const [which, body] of bodies.entries())
      expect(told(reads[which] ?? [])).toEqual(told([...readNdjsonBody(body, LIMITS, new PlainReader())]));
  }
});

function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T;
}
