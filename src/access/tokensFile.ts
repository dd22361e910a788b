import { timingSafeEqual } from 'node:crypto';
import { AccessFileError } from './error.ts';
import type { Principal } from './scopes.ts';
import { readScopes } from './scopes.ts';
import { TOKEN_HASH, TOKEN_NAME, hashToken, looksLikeToken } from './tokens.ts';
import { Section, readYaml } from './yamlReader.ts';

/** How many tokens one file may hold: each request is compared with all of them. */
const TOKENS_MAX = 1_000;

/** A token as it is kept: whose it is, and the text of its hash. */
interface Held {
  readonly principal: Principal;
  readonly hash: Buffer;
}

/** The tokens of the file `auth.tokens.file`: a YAML list of entries with `name`, `scopes` and `hash`. */
export class TokenTable {
  readonly #tokens: readonly Held[];

  private constructor(tokens: readonly Held[]) {
    this.#tokens = tokens;
  }

  /** Throws an AccessFileError. */
  static read(path: string, text: string): TokenTable {
    const entries = Section.each(path, readYaml(path, text), ['name', 'scopes', 'hash']);
    if (entries.length > TOKENS_MAX)
      throw new AccessFileError(`${path} has more than ${TOKENS_MAX} tokens; remove unused ones`);
    const names = new Set<string>();
    const tokens = entries.map(({ place, section }) => {
      const name = section.text('name') ?? '';
      if (!TOKEN_NAME.test(name))
        throw new AccessFileError(
          `${place}: name must be 1 to 64 letters, digits, . _ or -, and begin with a letter or digit; its value isn't shown because it may be a token`,
        );
      // It would stand in the log, and in what scrapers are called.
      if (looksLikeToken(name))
        throw new AccessFileError(
          `${place}: name is a token; write a name instead, and only the hash of the token`,
        );
      if (names.has(name))
        throw new AccessFileError(`${place}: an earlier entry has the same name; use unique names`);
      names.add(name);
      const hash = section.text('hash') ?? '';
      if (!TOKEN_HASH.test(hash))
        throw new AccessFileError(
          `${place}: hash must be sha256: and 64 hexadecimal digits; write the hash of the token, never the token itself`,
        );
      const scopes = readScopes(`${place}: scopes`, section.texts('scopes') ?? []);
      return { principal: { name, scopes }, hash: Buffer.from(hash, 'latin1') };
    });
    return new TokenTable(tokens);
  }

  /** Whose token it is. Takes the same time for every token that it does not hold. */
  find(token: string): Principal | undefined {
    const hash = Buffer.from(hashToken(token), 'latin1');
    let found: Principal | undefined;
    for (const each of this.#tokens) if (timingSafeEqual(each.hash, hash)) found = each.principal;
    return found;
  }
}
