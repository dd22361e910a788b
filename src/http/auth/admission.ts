import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Access, Outcome } from '../../access/access.ts';
import type { Principal, Scope } from '../../access/scopes.ts';
import { allows } from '../../access/scopes.ts';
import type { Monotonic } from '../../core/millis.ts';
import type { BucketRule } from '../../core/tokenBucket.ts';
import { take } from '../../core/tokenBucket.ts';
import type { AllowedHosts } from '../browsers/hosts.ts';
import type { ForeignPages } from '../browsers/pages.ts';
import { changes } from '../browsers/pages.ts';
import type { EndpointRule } from '../endpointRule.ts';
import type { TrustedProxies } from '../proxies.ts';
import { clientAddress } from '../proxies.ts';
import { ClientBuckets, clientOf } from './buckets.ts';
import { ForbiddenError, TooManyRequestsError, UnauthenticatedError } from './errors.ts';
import { accessOf, isPosting } from './routeAccess.ts';
import type { WriteLimits } from './writeLimits.ts';

/** What is looked at of a request before it is let in. */
export interface Asking {
  readonly method: string;
  /** The row that answers it; undefined where none does. */
  readonly endpoint: Pick<EndpointRule, 'access' | 'limits' | 'isHealthCheck'> | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Pick<Socket, 'remoteAddress'>;
}

/** Against which limits a request was counted. One that is asked a second time with the same is not counted again. */
export interface Counted {
  rate: boolean;
  write: boolean;
}

export interface AdmissionParts {
  readonly access: Access;
  readonly writeLimits: WriteLimits;
  readonly hosts: AllowedHosts;
  readonly foreignPages: ForeignPages;
  readonly proxies: TrustedProxies;
  readonly elapsed: Monotonic;
}

/** Passwords that one address may have compared: whoever guesses gets one a second. What is remembered as right costs nothing. */
const PASSWORDS: BucketRule = { intervalMs: 1_000, burst: 20 };

const REALM = 'realm="oneShotMetricsServer", charset="UTF-8"';

/**
 * Lets in whom the files let in. All that is asked of a request stands here, in its order, by whichever way it comes: the limit of the web
 * configuration, what a page in a browser may not do, the credential, its scope, the limits for posting.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #guesses = new ClientBuckets(PASSWORDS);
  readonly #counted = new WeakMap<Pick<Socket, 'remoteAddress'>, Counted>();
  #rateFullAt = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Those of the web configuration, for every answer. */
  get headers(): Access['headers'] {
    return this.#parts.access.headers;
  }

  /**
   * Whom a request comes from; undefined where no credential is asked for. At once, but where a password must be compared. Throws, or rejects
   * with, the error that it is to be answered with.
   */
  admit(asking: Asking, counted: Counted): Principal | undefined | Promise<Principal | undefined> {
    const { access } = this.#parts;
    this.#passRate(counted);
    this.#passBrowser(asking);
    const asked = accessOf(asking.method, asking.endpoint);
    if (asked === 'open' || access.isOpen) {
      this.#passWrite(asking, counted);
      return undefined;
    }
    const admitted = (outcome: Outcome): Principal | undefined => {
      const principal = principalOf(outcome, asked, access.asksFor);
      this.#passWrite(asking, counted);
      return principal;
    };
    const outcome = this.#authenticate(asking);
    return outcome instanceof Promise ? outcome.then(admitted) : admitted(outcome);
  }

  /** Tells what the next request on a connection was counted against already, since it was asked before, and goes another way now. */
  hasCounted(socket: Socket, counted: Counted): void {
    this.#counted.set(socket, counted);
  }

  /** What the request that just came on a connection was counted against already. It is told once. */
  countedOf(socket: Socket): Counted {
    const counted = this.#counted.get(socket);
    if (counted === undefined) return { rate: false, write: false };
    this.#counted.delete(socket);
    return counted;
  }

  #passRate(counted: Counted): void {
    const { rate } = this.#parts.access;
    if (rate === undefined || counted.rate) return;
    const taken = take(rate, this.#rateFullAt, this.#parts.elapsed());
    if (!taken.passed)
      throw new TooManyRequestsError(
        'over the rate_limit in web.config.file',
        taken.waitMs,
        'or raise it; to limit only posts, use limits.*',
      );
    this.#rateFullAt = taken.fullAt;
    counted.rate = true;
  }

  #passBrowser({ method, endpoint, headers }: Asking): void {
    const { access, hosts, foreignPages } = this.#parts;
    if (asksForHosts(access) && endpoint?.isHealthCheck !== true)
      hosts.check(headers.host, headers['accept-encoding']);
    if (changes(method)) foreignPages.check(headers);
  }

  #authenticate({ headers, socket }: Asking): Outcome | Promise<Outcome> {
    const { access, proxies } = this.#parts;
    // By the socket, since a header may name any address: whoever is within a trusted range could guess as many times as there are those.
    const client = () => clientOf(proxies.peer(socket.remoteAddress ?? '').canonical);
    return access.authenticate(headers.authorization, client, () => this.#passGuess(client()));
  }

  #passGuess(client: string): void {
    const guess = this.#guesses.ask(client, this.#parts.elapsed());
    if (!guess.passed)
      throw new TooManyRequestsError(
        'too many passwords tried from this address',
        guess.waitMs,
        'with the right password',
      );
    guess.keep();
  }

  #passWrite({ method, endpoint, headers, socket }: Asking, counted: Counted): void {
    const { writeLimits, proxies } = this.#parts;
    if (!writeLimits.areSet || counted.write || !isPosting(method, endpoint)) return;
    writeLimits.pass(clientAddress(socket.remoteAddress ?? '', headers, proxies));
    counted.write = true;
  }
}

/**
 * Whether it matters by which name a request asks. A page whose name points here by deceit has no certificate for that name, and no
 * credential, since browsers keep those for each origin: where one of the two is asked for, it gets nothing anyway.
 */
function asksForHosts(access: Pick<Access, 'isOpen' | 'tls'>): boolean {
  return access.isOpen && access.tls === undefined;
}

type AsksFor = Access['asksFor'];

/** Whom an outcome admits. Throws an UnauthenticatedError or a ForbiddenError. */
function principalOf(outcome: Outcome, asked: 'any' | Scope, asksFor: AsksFor): Principal | undefined {
  switch (outcome.kind) {
    case 'open':
      return undefined;
    case 'refused':
      throw new UnauthenticatedError(REFUSED[outcome.sent ?? 'none'], challenges(asksFor, outcome.sent));
    case 'granted': {
      const { principal } = outcome;
      if (asked === 'any' || allows(principal.scopes, asked)) return principal;
      throw new ForbiddenError(
        `this needs the scope ${asked}, which these credentials lack; use others`,
        asksFor.bearer ? [`Bearer ${REALM}, error="insufficient_scope", scope="${asked}"`] : [],
      );
    }
    default:
      return outcome satisfies never;
  }
}

/** What a refusal says. None of them repeats what was sent, since that may be nearly right. */
const REFUSED: Record<'none' | 'basic' | 'bearer' | 'unreadable', string> = {
  none: 'this needs credentials; send an Authorization header',
  basic: 'wrong user or password',
  bearer: 'unknown token',
  unreadable: 'the Authorization header is not valid Basic or Bearer',
};

/** For `WWW-Authenticate`, as https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate has it. */
function challenges(
  { basic, bearer }: AsksFor,
  sent: 'basic' | 'bearer' | 'unreadable' | undefined,
): string[] {
  return [
    ...(basic ? [`Basic ${REALM}`] : []),
    ...(bearer ? [`Bearer ${REALM}${sent === 'bearer' ? ', error="invalid_token"' : ''}`] : []),
  ];
}
