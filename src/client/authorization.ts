/** Who sends: a bearer token, or a user as in HTTP's basic authentication. */
export interface Credentials {
  readonly token?: string | undefined;
  readonly user?: { readonly name: string; readonly password: string } | undefined;
}

/** The header `Authorization`; none without credentials. A token wins over a user. */
export function authorization({ token, user }: Credentials): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (user === undefined) return {};
  // btoa takes one byte in each character. Source: https://www.rfc-editor.org/rfc/rfc7617#section-2.1
  const bytes = new TextEncoder().encode(`${user.name}:${user.password}`);
  return { authorization: `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}` };
}
