import type { IncomingHttpHeaders } from 'node:http';
import { shown } from '../../core/errors.ts';
import { ForeignPageError } from './errors.ts';

type Headers = Pick<
  IncomingHttpHeaders,
  'host' | 'origin' | 'accept' | 'user-agent' | 'sec-fetch-site' | 'sec-fetch-mode' | 'sec-fetch-dest'
>;

/** What browsers say of requests that no page of another site caused. Source: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header */
export const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const REMEDY =
  'send it from a page of this server or without a browser, or add the origin to server.allowedOrigins';

/** Whether a method changes something here, or may. */
export function changes(method: string): boolean {
  return !READING.has(method);
}

/**
 * Refuses what a page of another site makes a browser send: it would act with the reach, and the credentials, of whoever looks at it.
 * Programs that are no browsers send none of these headers. Browsers leave `Sec-Fetch-Site` out towards plain http beyond this
 * machine, but always tell the `Origin` of what is no GET; what they say of a GET there is in `isShown`.
 */
export class ForeignPages {
  readonly #origins: ReadonlySet<string>;
  readonly #all: boolean;

  /** `allowed` are origins, such as `https://grafana.example`; `*` is all of them. */
  constructor(allowed: readonly string[]) {
    this.#origins = new Set(allowed.map((origin) => origin.toLowerCase()));
    this.#all = this.#origins.has('*');
  }

  /** Throws a ForeignPageError. */
  check(headers: Headers): void {
    const { origin, host } = headers;
    const site = headers['sec-fetch-site'];
    // Nearly all requests.
    if (origin === undefined && site === undefined) return;
    if (this.#all || (origin !== undefined && this.#origins.has(origin.toLowerCase()))) return;
    if (site !== undefined && !OWN_SITES.has(siteOf(site)))
      throw new ForeignPageError(
        'Sec-Fetch-Site',
        `pages of other sites can't do this (Sec-Fetch-Site: ${shown(site)}); ${REMEDY}`,
      );
    // A browser knows better than the headers which origin it asked: a proxy may have changed the Host.
    if (origin === undefined || siteOf(site) === 'same-origin' || isOf(origin, host)) return;
    throw new ForeignPageError(
      'Origin',
      `a page from ${shown(origin)} can't do this, because the request is for the host ${shown(host ?? '')}; ${REMEDY}`,
    );
  }
}

/** Whether a person opens `/metrics` in a browser, by its address or by a link, wherever that stands. */
export function isNavigation(headers: Headers): boolean {
  return headers['sec-fetch-mode'] === 'navigate' || headers['sec-fetch-dest'] === 'document';
}

/**
 * Whether `/metrics` is shown rather than taken, since a browser asks. Where it sends no `Sec-Fetch-Site`, an image's request has nothing
 * but the browser's name to tell it by, which no page can change for another site's server.
 */
export function isShown(headers: Headers): boolean {
  return (
    isNavigation(headers) ||
    headers.accept?.includes('text/html') === true ||
    headers['user-agent']?.startsWith('Mozilla/') === true
  );
}

function siteOf(site: string | undefined): string {
  return (site ?? '').toLowerCase();
}

/** Whether an origin is that of a host. A proxy may end TLS, so that the scheme tells no more than the port that it stands for. */
function isOf(origin: string, host: string | undefined): boolean {
  const scheme = /^https?:/i.exec(origin)?.[0];
  if (scheme === undefined || host === undefined || !URL.canParse(origin)) return false;
  const asked = `${scheme}//${host}`;
  return URL.canParse(asked) && new URL(asked).host === new URL(origin).host;
}
