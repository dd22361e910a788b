import type { IncomingMessage } from 'node:http';
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
import type { Exchange } from '../exchange.ts';
import type { TrustedProxies } from '../proxies.ts';
import { clientAddress } from '../proxies.ts';
import { ClientBuckets, clientOf } from './buckets.ts';
import { ForbiddenError, TooManyRequestsError, UnauthenticatedError } from './errors.ts';
import { accessOf, isPosting } from './routeAccess.ts';
import type { WriteLimits } from './writeLimits.ts';

/**
 * Lets a request in; throws, or rejects with, what it is refused for. Where there is nothing to wait for, no promise is made: every event
 * comes this way.
 */
export type Guard = (exchange: Exchange) => Promise<void> | undefined;

export interface GuardParts {
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
 * Lets in whom the files let in, before anything else of a request is looked at: the headers of the web configuration, its limit, what
 * a page in a browser may not do, the credential, its scope, the limits for posting.
 */
export function guard({ access, writeLimits, hosts, foreignPages, proxies, elapsed }: GuardParts): Guard {
  const guesses = new ClientBuckets(PASSWORDS);
  let rateFullAt = 0;

  const addressOf = ({ socket, headers }: IncomingMessage) =>
    clientAddress(socket.remoteAddress ?? '', headers, proxies);

  const passRate = () => {
    const { rate } = access;
    if (rate === undefined) return;
    const taken = take(rate, rateFullAt, elapsed());
    if (!taken.passed)
      throw new TooManyRequestsError(
        'over the rate_limit in web.config.file',
        taken.waitMs,
        'or raise it; to limit only posts, use limits.*',
      );
    rateFullAt = taken.fullAt;
  };

  const passGuess = (address: string) => {
    const guess = guesses.ask(address, elapsed());
    if (!guess.passed)
      throw new TooManyRequestsError(
        'too many passwords tried from this address',
        guess.waitMs,
        'with the right password',
      );
    guess.keep();
  };

  const passWrite = ({ request, endpoint }: Exchange) => {
    if (writeLimits.areSet && isPosting(request.method ?? '', endpoint)) writeLimits.pass(addressOf(request));
  };

  const passBrowser = ({ method = '', headers }: IncomingMessage, endpoint: EndpointRule | undefined) => {
    if (asksForHosts(access) && endpoint?.isHealthCheck !== true)
      hosts.check(headers.host, headers['accept-encoding']);
    if (changes(method)) foreignPages.check(headers);
  };

  const authenticate = async (exchange: Exchange, asked: 'any' | Scope) => {
    const { headers, socket } = exchange.request;
    // By the socket, since a header may name any address: whoever is within a trusted range could guess as many times as there are those.
    const client = clientOf(proxies.peer(socket.remoteAddress ?? '').canonical);
    const outcome = await access.authenticate(headers.authorization, client, () => passGuess(client));
    exchange.principal = admitted(outcome, asked, access.asksFor);
    passWrite(exchange);
  };

  return (exchange) => {
    const { request, endpoint } = exchange;
    for (const [name, value] of access.headers) exchange.header(name, value);
    passRate();
    passBrowser(request, endpoint);
    const asked = accessOf(request.method ?? '', endpoint);
    if (asked !== 'open' && !access.isOpen) return authenticate(exchange, asked);
    passWrite(exchange);
    return undefined;
  };
}

/** Whether whoever posts is let in without a look, and gets no header on account of it: what `guard` does comes to nothing then. */
export function asksNothing(access: Access, writeLimits: WriteLimits): boolean {
  return access.isOpen && access.rate === undefined && access.headers.length === 0 && !writeLimits.areSet;
}

/**
 * Whether it matters by which name a request asks. A page whose name points here by deceit has no certificate for that name, and no
 * credential, since browsers keep those for each origin: where one of the two is asked for, it gets nothing anyway.
 */
export function asksForHosts(access: Pick<Access, 'isOpen' | 'tls'>): boolean {
  return access.isOpen && access.tls === undefined;
}

type AsksFor = Access['asksFor'];

/** Whom an outcome admits. Throws an UnauthenticatedError or a ForbiddenError. */
function admitted(outcome: Outcome, asked: 'any' | Scope, asksFor: AsksFor): Principal | undefined {
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
