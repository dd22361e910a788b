import type { IncomingHttpHeaders } from 'node:http';
import { RefusedError, shown } from '../core/errors.ts';
import type { Identity } from '../delivery/scrapers.ts';
import { SINK_PREFIX } from '../delivery/scrapers.ts';
import type { TrustedProxies } from './proxies.ts';
import { clientAddress } from './proxies.ts';

/** Printable, so that it can be a label and stand in a log line. */
const SCRAPER_ID = /^[^\p{C}]{1,128}$/u;

/**
 * A variable that nobody has replaced, as Kubernetes and the Prometheus Operator (`$(NAME)`), shells (`${NAME}`, `$NAME`), VictoriaMetrics
 * (`%{NAME}`) and templates (`{{ name }}`) write them. All replicas of one configuration would send it alike.
 */
const UNEXPANDED = /\$\([^)]*\)|\$\{[^}]*\}|%\{[^}]*\}|\{\{.*\}\}|^\$[A-Za-z_][A-Za-z0-9_]*$/u;

/** Tells by which name, if any, the one at an address is known for longer than it has that address. */
export type NameOfAddress = (address: string) => Promise<string | undefined>;

/** The parameters of a request's URL, each given once. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Who scrapes; the first that applies: the header `X-Scraper-Id`, the parameter `scraper`, the client's address. An id that holds a variable
 * which nobody has replaced is none. With a `user` a place is bound to it, see placeOf. Throws a RefusedError for an id that is empty, too long, or unprintable.
 */
export function identify(
  socketAddress: string,
  headers: IncomingHttpHeaders,
  parameters: Parameters,
  proxies: TrustedProxies,
  user?: string,
): Identity {
  const address = clientAddress(socketAddress, headers, proxies);
  const given = [headers['x-scraper-id']?.toString(), parameters.get('scraper')];
  const [header, parameter] = given.map((id) => (id !== undefined && isUnexpanded(id) ? undefined : id));
  const isVariable = given[0] !== header || given[1] !== parameter;
  const all = { address, ...(isVariable && { isVariable }) };
  if (user !== undefined) {
    const [field, named] = header !== undefined ? ['X-Scraper-Id', header] : ['scraper', parameter];
    return { id: checkedId(field, placeOf(user, named)), identifiedBy: 'user', ...all };
  }
  if (header !== undefined) return { id: checkedId('X-Scraper-Id', header), identifiedBy: 'header', ...all };
  if (parameter !== undefined)
    return { id: checkedId('scraper', parameter), identifiedBy: 'parameter', ...all };
  return { id: address, identifiedBy: 'address', ...all };
}

/**
 * The same, but one known by its address alone goes by the name that belongs to the address. Throws what `nameOf` throws, where that can't be
 * told yet.
 */
export async function withLastingName(identity: Identity, nameOf: NameOfAddress): Promise<Identity> {
  if (identity.identifiedBy !== 'address') return identity;
  const name = await nameOf(identity.address);
  return name === undefined ? identity : { ...identity, id: name, identifiedBy: 'pod' };
}

/**
 * The id of a user's place: the user's name, or where the request names another place, that one below the name: `prometheus/a`. So two
 * replicas with one user have places of their own, and no user reaches another's. A `/` in a user's own name is written `%2F`, lest
 * the user `a/b` has the place `b` of the user `a`.
 */
export function placeOf(user: string, named: string | undefined): string {
  const root = user.replaceAll('%', '%25').replaceAll('/', '%2F');
  if (named === undefined || named === root || named.startsWith(`${root}/`)) return named ?? root;
  return `${root}/${named}`;
}

/** Whether a text can be a scraper's id. Those of sinks are nobody's: whoever took one would take its events. */
export function isScraperId(text: string): boolean {
  return SCRAPER_ID.test(text) && !text.startsWith(SINK_PREFIX);
}

/** Whether it holds a variable that nobody has replaced. */
export function isUnexpanded(id: string): boolean {
  return isScraperId(id) && UNEXPANDED.test(id);
}

/** The id of a scraper or of a sink that somebody names. Throws a RefusedError for what can't be one. */
export function namedId(field: string, id: string): string {
  if (SCRAPER_ID.test(id)) return id;
  throw new RefusedError(
    field,
    `${field} ${shown(id)} is not the id of a scraper or a sink; use 1 to 128 printable characters`,
  );
}

/** Throws a RefusedError for what can't be an id. */
export function checkedId(field: string, id: string): string {
  if (isScraperId(id)) return id;
  throw new RefusedError(
    field,
    `${field} ${shown(id)} is not a scraper id; use 1 to 128 printable characters, such as the pod's name, and don't begin with ${SINK_PREFIX}`,
  );
}
