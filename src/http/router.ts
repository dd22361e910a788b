import { RefusedError } from '../core/errors.ts';
import type { Endpoint } from './endpoint.ts';
import { withHeads } from './endpoint.ts';

/** The endpoints at one path, by method, in the order of the table. */
export type Methods = ReadonlyMap<string, Endpoint>;

/** What is at a path. */
export interface Place {
  readonly methods: Methods;
  /** The segment that `{id}` stands for. */
  readonly id: string | undefined;
}

const ID = '{id}';
/** What a proxy asks by: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2 */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

/** Finds endpoints by the paths of URLs, HEAD beside each GET. */
export class Router {
  readonly #exact = new Map<string, Map<string, Endpoint>>();
  /** Those that end in `{id}`, by what stands before it. */
  readonly #before = new Map<string, Map<string, Endpoint>>();

  /** Throws where two rows would answer the same requests. */
  constructor(endpoints: readonly Endpoint[]) {
    for (const endpoint of withHeads(endpoints)) {
      const { path, method } = endpoint;
      const isPattern = path.endsWith(`/${ID}`);
      const [paths, key] = isPattern ? [this.#before, path.slice(0, -ID.length)] : [this.#exact, path];
      const methods = paths.get(key) ?? new Map<string, Endpoint>();
      if (methods.has(method)) throw new Error(`two endpoints answer ${method} ${path}`);
      paths.set(key, methods.set(method, endpoint));
    }
  }

  /** What is at a URL's path; undefined where nothing is. Throws a RefusedError for a path that can't be decoded. */
  at(url: string): Place | undefined {
    const path = pathOf(url);
    const known = this.#exact.get(path);
    if (known !== undefined) return { methods: known, id: undefined };
    try {
      return this.#search(path);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      throw new RefusedError(
        'path',
        "the path is not valid UTF-8, or has a % that isn't followed by two hexadecimal digits; write % itself as %25",
      );
    }
  }

  #search(path: string): Place | undefined {
    const exact = this.#exact.get(decodeURI(path));
    if (exact !== undefined) return { methods: exact, id: undefined };
    const begin = path.lastIndexOf('/') + 1;
    // Decoded by itself, so that it may hold a slash.
    const id = decodeURIComponent(path.slice(begin));
    const methods = id === '' ? undefined : this.#before.get(decodeURI(path.slice(0, begin)));
    return methods === undefined ? undefined : { methods, id };
  }
}

/** The path of a request's URL, as it came. */
export function pathOf(url: string): string {
  const path = url.startsWith('/') ? url : url.replace(ORIGIN, '');
  const end = path.search(/[?#]/);
  return end === -1 ? path : path.slice(0, end);
}
