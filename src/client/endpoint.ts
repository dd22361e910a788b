/** The address of an endpoint below a server's. Throws a TypeError for what is no address of one. */
export function endpoint(server: string, path: string): URL {
  const url = new URL(server);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError('it must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      'it must not contain credentials, because they would end up in logs; use a token or a user instead',
    );
  }
  url.search = '';
  url.hash = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}
