/** What is read of an answer to a post at most, in characters: this server's are far shorter. */
export const ANSWER_CHARACTERS_MAX = 64 * 1024;

/** The text of an answer; undefined where it is longer than any answer should be. */
export async function readText(response: Response, charactersMax: number): Promise<string | undefined> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value as Uint8Array, { stream: true });
    if (text.length > charactersMax) {
      await reader.cancel();
      return undefined;
    }
  }
}

/** That no authority that Node trusts vouches for the server's certificate: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What else than TLS answers a client that begins with it. */
const NO_TLS = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/;
/** How a connection ends that the server closes: one that waits for TLS does so at once. */
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Why a request to an address got no answer. `fetch failed` says nothing; what caused it does. */
export function whyNot(error: unknown, url: string | URL): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  // https://fetch.spec.whatwg.org/#port-blocking
  if (cause.message === 'bad port')
    return 'Node, like browsers, refuses to connect to this port; let the server listen on another';
  const { code, reason } = cause as { code?: unknown; reason?: unknown };
  if (typeof code === 'string' && UNKNOWN_AUTHORITY.has(code))
    // What Node suggests after the first part is for who starts Node.
    return `${cause.message.split(';', 1)[0]} (${code}); name the file of its authority's certificate in NODE_EXTRA_CA_CERTS`;
  // OpenSSL's message is full of places in its source, its reason is not.
  const message = typeof reason === 'string' ? reason : cause.message;
  const why = typeof code !== 'string' || message.includes(code) ? message : `${message} (${code})`.trim();
  return why + schemeHint(String(code), new URL(url).protocol);
}

/** Either side may speak TLS, and the other not. */
function schemeHint(code: string, protocol: string): string {
  if (protocol === 'https:' && NO_TLS.test(code))
    return "; the server doesn't use TLS on this port, so begin the url with http://";
  if (protocol === 'http:' && CLOSED.has(code))
    return '; if the server uses TLS, begin the url with https://';
  return '';
}
