/** The address of an endpoint below a server's. Throws a TypeError for what is no address of one. */
export function endpoint(server: string, path: string): URL {
  const url = new URL(server);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError('it must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      'it must not hold credentials, which end up in logs; give a token or a user beside it',
    );
  }
  url.search = '';
  url.hash = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}
