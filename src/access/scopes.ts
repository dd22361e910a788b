import { AccessFileError } from './error.ts';

/** What a credential may do: post events; scrape, peek and list scrapers; everything. */
export const SCOPES = ['write', 'scrape', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who a request comes from, as its credential proved. */
export interface Principal {
  /** The user's name, or the token's. The two are one space of names: who has the same name is the same. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** A user of `basic_auth_users` for whom nothing else is set: as in every exporter, a password opens everything. */
export const EVERYTHING: ReadonlySet<Scope> = new Set(['admin']);

/** Whether these scopes suffice for a route that asks for one. `admin` is everything. */
export function allows(scopes: ReadonlySet<Scope>, asked: Scope): boolean {
  return scopes.has('admin') || scopes.has(asked);
}

/** Reads names of scopes. `where` is what an error says that they stand in. Throws an AccessFileError. */
export function readScopes(where: string, names: readonly string[]): ReadonlySet<Scope> {
  const scopes = names.map((name) => {
    const scope = SCOPES.find((each) => each === name);
    if (scope === undefined) throw new AccessFileError(`${where}: unknown scope; use ${SCOPES.join(', ')}`);
    return scope;
  });
  if (scopes.length === 0)
    throw new AccessFileError(`${where}: needs at least one scope; use ${SCOPES.join(', ')}`);
  return new Set(scopes);
}

/** Reads the setting `auth.users`: each item is `name=scope`, or `name=scope+scope`. Throws an AccessFileError. */
export function readUserScopes(items: readonly string[]): ReadonlyMap<string, ReadonlySet<Scope>> {
  const users = new Map<string, ReadonlySet<Scope>>();
  for (const [index, item] of items.entries()) {
    const place = `auth.users: item ${index + 1}`;
    const equals = item.lastIndexOf('=');
    if (equals < 1) throw new AccessFileError(`${place} must be name=scope or name=scope+scope`);
    const name = item.slice(0, equals);
    if (users.has(name)) throw new AccessFileError(`${place} lists a user twice; keep one`);
    users.set(name, readScopes(place, item.slice(equals + 1).split('+')));
  }
  return users;
}
