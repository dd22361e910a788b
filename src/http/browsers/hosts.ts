import { isIP } from 'node:net';
import { shown } from '../../core/errors.ts';
import { MisdirectedError } from './errors.ts';

/**
 * Names that nobody can register, so that no page of a stranger can have one: loopback, multicast DNS, and what private networks and
 * clusters use. Sources: https://www.rfc-editor.org/rfc/rfc6761, https://www.rfc-editor.org/rfc/rfc6762#appendix-G,
 * https://www.rfc-editor.org/rfc/rfc8375; ICANN keeps `internal` free.
 */
const PRIVATE = [
  'localhost',
  'local',
  'internal',
  'home.arpa',
  'svc',
  'lan',
  'home',
  'corp',
  'intranet',
  'private',
].map((name) => `.${name}`);

/** A name and, if there is one, a port; or an IPv6 address in brackets. Nothing at all is what HTTP has for no host. */
const HOST = /^(?:\[(?<v6>[^\]]*)\]|(?<name>(?:[\w-]+(?:\.[\w-]+)*\.?)?))(?::\d*)?$/;

/** What Go programs send, Prometheus among them, and no browser ever does; a page can't change it. See decision 0041. */
const OF_GO = 'gzip';

/**
 * The hosts that this server may be asked by. A page whose own name was made to point here (DNS rebinding) is of the same origin as the
 * server for its browser; only the name that it asks by gives it away. Ports, case and a dot at the end don't matter.
 */
export class AllowedHosts {
  readonly #names = new Set<string>();
  /** With the dot before them. */
  readonly #suffixes = [...PRIVATE];
  #all = false;
  /** What was found good last: nearly all requests say the same. */
  #last: string | undefined;

  /** Each is a name, `*.` and a name for all below it, or `*` for all there are. */
  constructor(patterns: readonly string[]) {
    this.allow(patterns);
  }

  /** Adds to them. */
  allow(patterns: readonly string[]): void {
    for (const pattern of patterns) {
      if (pattern === '*') this.#all = true;
      else if (pattern.startsWith('*.')) this.#suffixes.push(`.${nameOf(pattern.slice(2))}`);
      else this.#names.add(isIP(pattern) === 6 ? pattern.toLowerCase() : (nameOf(pattern) ?? ''));
    }
  }

  /** Whether a request may ask by this `Host`. No browser leaves it out. */
  has(host: string | undefined, acceptEncoding: string | string[] | undefined): boolean {
    if (host === undefined || host === this.#last || this.#all) return true;
    if (!this.#knows(host)) return acceptEncoding === OF_GO;
    this.#last = host;
    return true;
  }

  /** Throws a MisdirectedError. */
  check(host: string | undefined, acceptEncoding: string | string[] | undefined): void {
    if (this.has(host, acceptEncoding)) return;
    throw new MisdirectedError(
      `unknown Host ${shown(host ?? '')}; to reach this server by that name, add it to server.allowedHosts (ONESHOT_SERVER_ALLOWED_HOSTS), or send another Host`,
    );
  }

  #knows(host: string): boolean {
    const name = nameOf(host);
    if (name === undefined) return false;
    // No dot: nobody can register such a name either. An address: a page that has it came from here.
    if (!name.includes('.') || isIP(name) !== 0 || this.#names.has(name)) return true;
    return this.#suffixes.some((suffix) => name.endsWith(suffix));
  }
}

/** The name in a `Host`, in lower case, without a dot at its end; undefined where it is no host. */
function nameOf(host: string): string | undefined {
  const { v6, name } = HOST.exec(host.trim().toLowerCase())?.groups ?? {};
  if (v6 !== undefined) return isIP(v6) === 6 ? v6 : undefined;
  return name?.replace(/\.$/, '');
}
