import { describe, expect, it } from 'vitest';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from './tokens.ts';
import { TokenTable } from './tokensFile.ts';

const TOKEN = newToken(new Uint8Array(TOKEN_RANDOM_BYTES).fill(7));

describe('a token', () => {
  it('is its random bytes in a text that fits into a header', () => {
    expect(TOKEN).toMatch(/^oneshot_[A-Za-z0-9_-]{43}$/);
    expect(newToken(new Uint8Array(TOKEN_RANDOM_BYTES).fill(8))).not.toBe(TOKEN);
  });

  it('is not made of fewer random bytes', () => {
    expect(() => newToken(new Uint8Array(16))).toThrow('takes 32 random bytes');
  });

  it('is hashed as sha256sum does it', () => {
    expect(hashToken('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('the file of tokens', () => {
  const entry = tokenEntry({ name: 'ci.builds', scopes: ['write', 'scrape'], hash: hashToken(TOKEN) });

  it('takes entries as they are written, and knows their tokens', () => {
    const other = tokenEntry({ name: '1e3', scopes: ['admin'], hash: hashToken('other') });
    const table = TokenTable.read('tokens.yml', `# tokens\n${entry}${other}`);
    expect(table.find(TOKEN)).toEqual({ name: 'ci.builds', scopes: new Set(['write', 'scrape']) });
    expect(table.find('other')?.name).toBe('1e3');
    expect(table.find(`${TOKEN}x`)).toBeUndefined();
    expect(table.find(hashToken(TOKEN))).toBeUndefined();
  });

  it.each(['', '# nothing yet\n', '[]', 'null'])('may be empty: %j', (text) => {
    expect(TokenTable.read('tokens.yml', text).find(TOKEN)).toBeUndefined();
  });

  const HASH = hashToken(TOKEN);
  it.each([
    ['a mapping', 'name: a', 'tokens.yml must be a list'],
    ['no name', `- scopes: [write]\n  hash: ${HASH}`, 'entry 1: name must be'],
    [
      'a name that would break a line',
      `- name: "a\\nb"\n  scopes: [write]\n  hash: ${HASH}`,
      'entry 1: name must be',
    ],
    ['a name twice', `${entry}${entry}`, 'entry 2: an earlier entry has the same name'],
    ['no scope', `- name: a\n  scopes: []\n  hash: ${HASH}`, 'needs at least one scope'],
    [
      'an unknown scope',
      `- name: a\n  scopes: [read]\n  hash: ${HASH}`,
      'entry 1: scopes: unknown scope; use write, scrape, admin',
    ],
    ['a scope that is no list', `- name: a\n  scopes: write\n  hash: ${HASH}`, 'scopes must be a list'],
    [
      'an unknown key',
      `- name: a\n  scope: [write]\n  hash: ${HASH}`,
      'unknown key at line 2 (did you mean scopes',
    ],
    ['a token as a name', `- name: ${TOKEN}\n  scopes: [write]\n  hash: ${HASH}`, 'entry 1: name is a token'],
    [
      'a token as a name, and more',
      `- name: ${TOKEN} ci\n  scopes: [write]\n  hash: ${HASH}`,
      'name must be',
    ],
    ['a token as a key', `- ${TOKEN}: [write]\n`, 'entry 1: unknown key at line 1'],
    ['a token as a key of a mapping', `${TOKEN}: {scopes: [write]}\n`, 'must be a list'],
    ['a token as a list', `- name: a\n  hash: {${TOKEN}: 1}`, 'hash must be a string'],
    ['a token as a scope', `- name: a\n  scopes: [${TOKEN}]\n  hash: ${HASH}`, 'unknown scope'],
    ['a token as an alias', `- name: *${TOKEN}\n`, 'name: the value begins with *'],
    ['a token in what is no YAML', `- name: a\n ${TOKEN}: [\n`, 'is not valid YAML'],
    ['a token that stands alone', `- ${TOKEN}\n`, 'must be a mapping'],
    [
      'a token in place of its hash',
      `- name: a\n  scopes: [write]\n  hash: ${TOKEN}`,
      'hash must be sha256:',
    ],
  ])('refuses %s, and does not quote what may be a token', (_what, text, message) => {
    const read = () => TokenTable.read('tokens.yml', text);
    expect(read).toThrow(message);
    expect(read).not.toThrow(TOKEN);
  });

  it.each([
    [{ name: 'a b', scopes: ['write'], hash: HASH } as const, "a token's name"],
    [{ name: 'a', scopes: ['write'], hash: TOKEN } as const, 'a hash must be sha256:'],
  ])('gets no entry that it would refuse', (wrong, message) => {
    expect(() => tokenEntry(wrong)).toThrow(message);
  });
});
