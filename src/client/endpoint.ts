const SHOWN_CHARACTERS_MAX = 60;

/** The address of an endpoint below a server's `url`. Throws a TypeError for what is no address of one; its message begins with `url`. */
export function endpoint(server: string, path: string): URL {
  const url = parsed(server);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw invalid(server, 'begin it with http:// or https://, as in http://localhost:8090');
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      server,
      'it must not contain credentials, because they would end up in logs; use a token or a user instead',
    );
  }
  url.search = '';
  url.hash = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}

/** Node 18 has no URL.canParse yet. */
function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function invalid(server: unknown, why: string): TypeError {
  // It may hold a password.
  const said = String(server).includes('@')
    ? ''
    : ` ${JSON.stringify(String(server).slice(0, SHOWN_CHARACTERS_MAX))}`;
  return new TypeError(`url${said} is not a valid server URL: ${why}`);
}
