import type { BucketRule } from '../core/tokenBucket.ts';
import type { ComparePassword } from './bcrypt.ts';
import { readCredential } from './credentials.ts';
import { AccessFileError } from './error.ts';
import { shown } from '../core/errors.ts';
import { Passwords } from './passwords.ts';
import type { AccessNews } from './reloadingFile.ts';
import { ReloadingFile } from './reloadingFile.ts';
import type { Principal, Scope } from './scopes.ts';
import { EVERYTHING, readUserScopes } from './scopes.ts';
import type { ReadText, TlsState } from './tlsState.ts';
import { loadTls } from './tlsState.ts';
import type { TokenTable } from './tokensFile.ts';
import type { WebConfig } from './webConfig.ts';

/** How often the files are looked at, in ms. */
const CHECK_EVERY_MS = 1_000;

export interface AccessSettings {
  readonly 'web.config.file': string;
  readonly 'auth.tokens.file': string;
  readonly 'auth.users': readonly string[];
  readonly 'scrapers.byUser': boolean;
}

export interface AccessParts {
  readonly settings: AccessSettings;
  readonly read: ReadText;
  readonly compare: ComparePassword;
  /** 32 random bytes, for what is remembered of passwords. */
  readonly key: Uint8Array;
  readonly news: AccessNews;
}

/** What came of a request's credential. */
export type Outcome =
  | { readonly kind: 'granted'; readonly principal: Principal }
  /** `sent` tells which kind of credential was wrong; undefined where there was none. */
  | { readonly kind: 'refused'; readonly sent: 'basic' | 'bearer' | 'unreadable' | undefined }
  /** No credential is asked for. */
  | { readonly kind: 'open' };

/** What the web configuration comes to, with the files that it names. */
interface Web {
  readonly config: WebConfig;
  readonly tls: TlsState | undefined;
}

const NO_USERS: ReadonlyMap<string, string> = new Map();
const NO_HEADERS: WebConfig['headers'] = [];

/** Who may do what, as the files say now: TLS, users, tokens, headers. */
export class Access implements Disposable {
  readonly #web: ReloadingFile<Web> | undefined;
  readonly #tokens: ReloadingFile<TokenTable> | undefined;
  readonly #scopes: ReadonlyMap<string, ReadonlySet<Scope>>;
  readonly #passwords: Passwords;
  #timer: NodeJS.Timeout | undefined;
  #checking = false;

  private constructor({ settings, read, compare, key, news }: AccessParts) {
    const { 'web.config.file': web, 'auth.tokens.file': tokens, 'auth.users': users } = settings;
    this.#scopes = readUserScopes(users);
    this.#passwords = new Passwords(compare, key);
    if (web !== '') {
      this.#web = new ReloadingFile(
        web,
        (readText) => loadWeb(web, readText),
        read,
        news,
        (before, next) => checkFollows(web, before, next, tokens !== ''),
      );
    }
    if (tokens !== '') {
      this.#tokens = new ReloadingFile(tokens, (readText) => loadTokens(tokens, readText), read, news);
    }
  }

  /** Reads the files that the settings name. Throws an AccessFileError. */
  static async open(parts: AccessParts): Promise<Access> {
    const access = new Access(parts);
    await access.#web?.start();
    await access.#tokens?.start();
    for (const [index, name] of [...access.#scopes.keys()].entries()) {
      if (!access.#users.has(name))
        throw new AccessFileError(
          `auth.users: item ${index + 1} is a user who is not in basic_auth_users of web.config.file; correct the name`,
        );
    }
    const { basic, bearer } = access.asksFor;
    if (parts.settings['scrapers.byUser'] && !basic && !bearer)
      throw new AccessFileError(
        'scrapers.byUser needs users or tokens; set web.config.file or auth.tokens.file',
      );
    return access;
  }

  /** What there is where no setting names a file: everything is open. */
  static withoutFiles(): Access {
    const unused = () => Promise.reject(new Error('there are no files'));
    return new Access({
      settings: { 'web.config.file': '', 'auth.tokens.file': '', 'auth.users': [], 'scrapers.byUser': false },
      read: unused,
      compare: unused,
      key: new Uint8Array(32),
      news: { reloaded: () => undefined, kept: () => undefined },
    });
  }

  /** Begins to look after changes of the files. */
  start(): void {
    this.#timer = setInterval(() => void this.check(), CHECK_EVERY_MS).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Looks after changes now. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      await this.#web?.check();
      await this.#tokens?.check();
    } finally {
      this.#checking = false;
    }
  }

  /** What new connections get; undefined where there is no TLS. That never changes while the server runs. */
  get tls(): TlsState | undefined {
    return this.#web?.current.tls;
  }

  onTlsChange(listener: () => void): void {
    this.#web?.onChange(listener);
  }

  /** The same list until the file changes. */
  get headers(): WebConfig['headers'] {
    return this.#web?.current.config.headers ?? NO_HEADERS;
  }

  get rate(): BucketRule | undefined {
    return this.#web?.current.config.rate;
  }

  /** Which kinds of credentials are taken. Without any, everything is open. */
  get asksFor(): { readonly basic: boolean; readonly bearer: boolean } {
    return { basic: this.#users.size > 0, bearer: this.#tokens !== undefined };
  }

  /** Whether whoever reaches the port may do everything: no credential is asked for, and no client certificate. */
  get isOpen(): boolean {
    const { basic, bearer } = this.asksFor;
    return !basic && !bearer && this.tls?.clientAuth !== 'requireAndVerify';
  }

  /**
   * Whom an `Authorization` header proves: told at once, but for a password that must be compared anew. `beforeWork` is called then, and throws
   * where there were too many of those; the `client` takes its turn with others. Rejects with a PasswordsWaitingError where too many wait.
   */
  authenticate(
    header: string | undefined,
    client: () => string,
    beforeWork: () => void,
  ): Outcome | Promise<Outcome> {
    const { basic, bearer } = this.asksFor;
    if (!basic && !bearer) return { kind: 'open' };
    const credential = readCredential(header);
    switch (credential.kind) {
      case 'none':
        return { kind: 'refused', sent: undefined };
      case 'unreadable':
        return { kind: 'refused', sent: 'unreadable' };
      case 'bearer': {
        const principal = this.#tokens?.current.find(credential.token);
        return principal === undefined ? { kind: 'refused', sent: 'bearer' } : { kind: 'granted', principal };
      }
      case 'basic': {
        const { user: name, password } = credential;
        const isRight = basic && this.#passwords.check(this.#users, name, password, client, beforeWork);
        const outcomeOf = (right: boolean): Outcome =>
          right
            ? { kind: 'granted', principal: { name, scopes: this.#scopes.get(name) ?? EVERYTHING } }
            : { kind: 'refused', sent: 'basic' };
        return typeof isRight === 'boolean' ? outcomeOf(isRight) : isRight.then(outcomeOf);
      }
      default:
        return credential satisfies never;
    }
  }

  get #users(): ReadonlyMap<string, string> {
    return this.#web?.current.config.users ?? NO_USERS;
  }
}

/* What reads the files is loaded only where there are any: YAML is a tenth of all that a start would compile. */

async function loadWeb(path: string, read: ReadText): Promise<Web> {
  const { readWebConfig } = await import('./webConfig.ts');
  const config = readWebConfig(path, await readNamed('web.config.file', path, read));
  const tls = config.tls && (await loadTls(`${path}: tls_server_config`, config.tls, read));
  return { config, tls };
}

async function loadTokens(path: string, read: ReadText): Promise<TokenTable> {
  const reader = await import('./tokensFile.ts');
  return reader.TokenTable.read(path, await readNamed('auth.tokens.file', path, read));
}

async function readNamed(key: string, path: string, read: ReadText): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    throw new AccessFileError(
      `${key}: can't read ${shown(path)}: ${(cause as Error).message}; create it or correct the path`,
    );
  }
}

/**
 * A file that is being written is empty for a moment. So no change may open what was closed: that takes a restart, which nobody does
 * by accident.
 */
function checkFollows(path: string, before: Web, next: Web, hasTokens: boolean): void {
  if ((before.tls === undefined) !== (next.tls === undefined))
    throw new AccessFileError(
      `${path}: TLS can't be turned ${next.tls ? 'on' : 'off'} while the server runs; restart it`,
    );
  const closed = ({ config, tls }: Web) =>
    hasTokens || config.users.size > 0 || tls?.clientAuth === 'requireAndVerify';
  if (closed(before) && !closed(next))
    throw new AccessFileError(
      `${path}: it no longer requires credentials, which would open the server to everyone; restart the server if you mean it`,
    );
}
