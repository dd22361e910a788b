import type { IncomingHttpHeaders } from 'node:http';
import { RefusedError, shown } from '../core/errors.ts';
import type { Identity } from '../relay/scrapers.ts';
import type { TrustedProxies } from './proxies.ts';
import { clientAddress } from './proxies.ts';

/** Printable, so that it can be a label and stand in a log line. */
const SCRAPER_ID = /^[^\p{C}]{1,128}$/u;

/** The parameters of a request's URL, each given once. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Who scrapes; the first that applies: the header `X-Scraper-Id`, the parameter `scraper`, the client's address.
 * Throws a RefusedError for an id that is empty, too long, or unprintable.
 */
export function identify(
  socketAddress: string,
  headers: IncomingHttpHeaders,
  parameters: Parameters,
  proxies: TrustedProxies,
): Identity {
  const address = clientAddress(socketAddress, headers, proxies);
  const header = headers['x-scraper-id'];
  if (header !== undefined)
    return { id: checkedId('X-Scraper-Id', String(header)), identifiedBy: 'header', address };
  const parameter = parameters.get('scraper');
  if (parameter !== undefined)
    return { id: checkedId('scraper', parameter), identifiedBy: 'parameter', address };
  return { id: address, identifiedBy: 'address', address };
}

/** Whether a text can be a scraper's id. */
export function isScraperId(text: string): boolean {
  return SCRAPER_ID.test(text);
}

function checkedId(field: string, id: string): string {
  if (isScraperId(id)) return id;
  throw new RefusedError(
    field,
    `${field} ${shown(id)} is not a scraper id; use 1 to 128 printable characters, such as the pod's name`,
  );
}
