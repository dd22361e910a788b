/** Who sends: a bearer token, or a user as in HTTP's basic authentication. */
export interface Credentials {
  readonly token?: string | undefined;
  readonly user?: { readonly name: string; readonly password: string } | undefined;
}

/** What a header can hold, without what would end the token: https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const TOKEN = /^[\x21-\x7e]+$/;

/** The header `Authorization`; none without credentials. A token wins over a user. Throws a TypeError for what can't be in it, and never shows it. */
export function authorization({ token, user }: Credentials): Readonly<Record<string, string>> {
  if (token !== undefined) {
    if (TOKEN.test(token)) return { authorization: `Bearer ${token}` };
    throw new TypeError(
      "token must be printable ASCII without spaces; its value isn't shown because it is a secret",
    );
  }
  if (user === undefined) return {};
  // The server would take what follows it for the password.
  if (user.name.includes(':')) throw new TypeError('user.name must not contain a colon; choose another user');
  // btoa takes one byte in each character. Source: https://www.rfc-editor.org/rfc/rfc7617#section-2.1
  const bytes = new TextEncoder().encode(`${user.name}:${user.password}`);
  return { authorization: `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}` };
}
