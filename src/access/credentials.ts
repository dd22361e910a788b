/** What an `Authorization` header holds. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** Something else, or something broken. */
  | { readonly kind: 'unreadable' };

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;
const BEARER = /^bearer +([A-Za-z0-9._~+/=-]+) *$/i;

/** Reads an `Authorization` header. Sources: https://www.rfc-editor.org/rfc/rfc7617 and https://www.rfc-editor.org/rfc/rfc6750 */
export function readCredential(header: string | undefined): Credential {
  if (header === undefined) return { kind: 'none' };
  const token = BEARER.exec(header)?.[1];
  if (token !== undefined) return { kind: 'bearer', token };
  const encoded = BASIC.exec(header)?.[1];
  if (encoded === undefined) return { kind: 'unreadable' };
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return { kind: 'unreadable' };
  return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}
