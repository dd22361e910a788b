import { expect, it } from 'vitest';
import { DECODERS } from './decoders.ts';
import { nested } from './row.ts';

/** How many times longer the second input is. */
const LONGER = 16;
/**
 * How many times as long it may take. What is linear takes 16 times as long, what is quadratic 256 times; a busy machine lies in between.
 */
const SLOWER_MAX = 96;
/** The least of so many measurements counts: what the machine does besides only adds to them. */
const MEASURED = 3;
/** What takes no longer than this, in ms, is not compared: it would be the clock that is measured. */
const NOISE_MS = 2;

type Grown = readonly [decoder: string, what: string, grow: (n: number) => string, n: number];

/** Inputs that make a careless reader go over them again and again; `n` is so that the longer one is about as long as may be. */
const GROWN: readonly Grown[] = [
  ['a query of a URL', 'a value of escapes', (n) => `a=${'%41'.repeat(n)}`, 1_300],
  ['a query of a URL', 'broken escapes', (n) => `a=${'%'.repeat(n)}`, 4_000],
  ['a query of a URL', 'parameters', (n) => 'a=1&'.repeat(n), 1_000],
  ['a query of a URL', 'bytes beyond ASCII', (n) => `a=${'\u00fc'.repeat(n)}`, 2_000],
  ['a form', 'separators', (n) => '&'.repeat(n), 60_000],
  ['a form', 'a name', (n) => 'n'.repeat(n), 60_000],
  ['a form', 'a value', (n) => `value=${'1'.repeat(n)}x`, 60_000],
  ['JSON events', 'brackets', (n) => nested(n), 30_000],
  ['JSON events', 'events', (n) => `[${'{},'.repeat(n)}{}]`, 2_000],
  ['JSON events', 'what is no event', (n) => `[${'1,'.repeat(n)}1]`, 2_000],
  [
    'JSON events',
    'labels',
    (n) => `{"labels":{${Array.from({ length: n }, (_, i) => `"a${i}":""`).join()}}}`,
    4_000,
  ],
  [
    'JSON events',
    'names that are numbers',
    (n) => `{"labels":{${Array.from({ length: n }, (_, i) => `"${i * 999}":""`).join()}}}`,
    4_000,
  ],
  ['JSON events', 'a text of escapes', (n) => `{"labels":{"a":"${'\\u0041'.repeat(n)}"}}`, 10_000],
  ['JSON events', 'a text without an end', (n) => `"${'a\\"'.repeat(n)}`, 20_000],
  ['JSON events', 'blanks', (n) => `${' \n'.repeat(n)}x`, 30_000],
  ['JSON events', 'digits', (n) => `{"value":${'1'.repeat(n)}e}`, 60_000],
  ['JSON events', 'a field that nobody knows', (n) => `{"${'f'.repeat(n)}":1}`, 60_000],
  ['NDJSON', 'lines', (n) => '{}\n'.repeat(n), 2_000],
  ['NDJSON', 'blank lines', (n) => ' \n'.repeat(n), 30_000],
  ['NDJSON', 'wrong lines', (n) => 'x\n'.repeat(n), 2_000],
  ['NDJSON', 'one line', (n) => `{"labels":{"a":"${'x'.repeat(n)}"}}`, 60_000],
  [
    'a CloudEvent',
    'data in base64',
    (n) => `{"specversion":"1.0","type":"t","source":"/s","id":"1","data_base64":"${'eyJh'.repeat(n)}"}`,
    15_000,
  ],
  ['a batch of CloudEvents', 'what is no event', (n) => `[${'[],'.repeat(n)}1]`, 2_000],
  ['a CloudEvent in headers', 'backslashes', (n) => `1.0\n"${'\\'.repeat(n)}\n/s\nt\n\n\n`, 1_500],
  [
    'the webhook prometheus',
    'alerts',
    (n) => `[${'{"labels":{"a":"b"},"startsAt":"x"},'.repeat(n)}{"labels":{"a":"b"}}]`,
    1_800,
  ],
  [
    'the webhook prometheus',
    'labels',
    (n) => `[{"labels":{${Array.from({ length: n }, (_, i) => `"a${i}":"x"`).join()}}}]`,
    4_000,
  ],
  [
    'the webhook alertmanager',
    'alerts',
    (n) => `{"alerts":[${'{"status":"firing","labels":1},'.repeat(n)}1]}`,
    60,
  ],
  [
    'the webhook github',
    'a ref',
    (n) => `{"ref":"refs/heads/${'/'.repeat(n)}","repository":{"full_name":"${'a'.repeat(n)}"}}`,
    30_000,
  ],
  [
    'the webhook flux',
    'a revision',
    (n) => `{"reason":"x","metadata":{"revision":"${'0'.repeat(n)}"}}`,
    60_000,
  ],
  ['the webhook grafana', 'tags in a text', (n) => `{"tags":"${': '.repeat(n)}"}`, 30_000],
  ['the webhook grafana', 'a text', (n) => `{"text":"${'\\n'.repeat(n)}"}`, 30_000],
  // The parser compares each key and each alias with all before it. What it reads is the operator's own, and no longer than
  // its reader takes; up to as many users as there may be, that costs nothing.
  [
    'a web configuration',
    'users',
    (n) => `basic_auth_users:\n${Array.from({ length: n }, (_, i) => `  u${i}: x\n`).join('')}`,
    60,
  ],
  [
    'a web configuration',
    'aliases',
    (n) => `tls_server_config:\n  cert_file: &a x\n  cipher_suites: [${'*a,'.repeat(n)}]\n`,
    20,
  ],
  ['a web configuration', 'brackets', (n) => `a: ${nested(n)}`, 100],
  ['a file of tokens', 'entries', (n) => `- name: x\n`.repeat(n), 300],
  ['a mapping of data', 'steps', (n) => `a=${'/~0'.repeat(n)}`, 20_000],
  ['a mapping of data', 'steps, and a broken one', (n) => `a=${'/~0'.repeat(n)}~`, 20_000],
  ['a time', 'digits', (n) => `2026-11-24T12:00:00.${'1'.repeat(n)}`, 60_000],
  ['a value', 'digits', (n) => `${'1'.repeat(n)}.${'1'.repeat(n)}e`, 30_000],
];

it.each(GROWN)('%s: it takes in %s in proportion to their number', async (name, _what, grow, n) => {
  const decoder = DECODERS.find((each) => each.name === name);
  if (decoder === undefined) throw new Error(`no decoder ${name}`);
  const [short, long] = [Buffer.from(grow(n)), Buffer.from(grow(n * LONGER))];
  const takes = async (bytes: Buffer): Promise<number> => {
    let least = Infinity;
    for (let i = 0; i < MEASURED; i += 1) {
      const started = performance.now();
      try {
        await decoder.decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(decoder.error);
      }
      least = Math.min(least, performance.now() - started);
    }
    return least;
  };
  const shortMs = await takes(short);
  const longMs = await takes(long);
  expect(longMs, `${shortMs} ms and ${longMs} ms`).toBeLessThan(
    NOISE_MS + Math.max(shortMs, 0.05) * SLOWER_MAX,
  );
});
