import { hash } from 'node:crypto';
import type { Scope } from './scopes.ts';

/** How many random bytes a token holds: nobody guesses 256 bits. */
export const TOKEN_RANDOM_BYTES = 32;

/** Tells people and scanners for leaked secrets what they are looking at. */
const PREFIX = 'oneshot_';

const TOKEN = new RegExp(`^${PREFIX}[\\w-]{43}$`);

/** Whether a text is what `newToken` makes. */
export function looksLikeToken(text: string): boolean {
  return TOKEN.test(text);
}

/** What a hash looks like. */
export const TOKEN_HASH = /^sha256:[0-9a-f]{64}$/;

/** What a token's name looks like: it stands in log lines, and may become a scraper's id. */
export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A new token, made from TOKEN_RANDOM_BYTES of cryptographically random bytes. Throws a RangeError for fewer or more. */
export function newToken(random: Uint8Array): string {
  if (random.length !== TOKEN_RANDOM_BYTES)
    throw new RangeError(`a token takes ${TOKEN_RANDOM_BYTES} random bytes, not ${random.length}`);
  return PREFIX + Buffer.from(random).toString('base64url');
}

/**
 * What the file holds in place of a token. A fast hash is right here: a slow one, or a salt, protects secrets that can be guessed, and
 * these can't. So checking a token costs next to nothing, and needs no cache.
 */
export function hashToken(token: string): string {
  // Made as a text three times as fast as of bytes.
  return `sha256:${hash('sha256', token, 'hex')}`;
}

/** An entry of the file `auth.tokens.file`, as lines to be appended to it. Throws a RangeError for a name or a hash that it would refuse. */
export function tokenEntry(entry: {
  readonly name: string;
  readonly scopes: readonly [Scope, ...Scope[]];
  readonly hash: string;
}): string {
  if (!TOKEN_NAME.test(entry.name))
    throw new RangeError(
      `a token's name must be 1 to 64 letters, digits, . _ or -, and begin with a letter or digit, not ${JSON.stringify(entry.name.slice(0, 60))}`,
    );
  if (!TOKEN_HASH.test(entry.hash))
    throw new RangeError('a hash must be sha256: and 64 hexadecimal digits, as from hashToken');
  return `- name: ${JSON.stringify(entry.name)}\n  scopes: [${entry.scopes.join(', ')}]\n  hash: ${entry.hash}\n`;
}
