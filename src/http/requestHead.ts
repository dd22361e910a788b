import type { IncomingMessage } from 'node:http';
import { RefusedError, TooLargeError, shown } from '../core/errors.ts';

/** https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
const ENDS_CHUNKED = /(?:^|,)\s*chunked\s*$/i;

/** Refuses a head that HTTP doesn't allow, though Node lets it pass, and a URL beyond the limit. Throws a RefusedError. */
export function checkHead(
  { httpVersion, headers, rawHeaders, url = '' }: IncomingMessage,
  urlBytesMax: number,
): void {
  if (httpVersion === '1.1' && headers.host === undefined)
    throw new RefusedError('Host', 'the Host header is missing; HTTP/1.1 requires it in every request');
  if (countOf('host', rawHeaders) > 1)
    throw new RefusedError('Host', 'Host appears more than once; HTTP/1.1 requires exactly one');
  // Node keeps the first; a proxy may have checked another.
  if (countOf('authorization', rawHeaders) > 1)
    throw new RefusedError('Authorization', 'Authorization appears more than once; send one');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && !ENDS_CHUNKED.test(coding))
    throw new RefusedError(
      'Transfer-Encoding',
      `Transfer-Encoding ${shown(coding)} doesn't end in chunked, so the server can't tell where the body ends; send it chunked, or with a Content-Length`,
    );
  if (url.length > urlBytesMax)
    throw new TooLargeError(
      'url',
      `the URL is longer than ${urlBytesMax} bytes; send the labels in a form body`,
    );
}

/** How often a header, in lower case, stands in a request: Node keeps the first of some. */
function countOf(header: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === header.length && rawHeaders[at]?.toLowerCase() === header) count += 1;
  return count;
}
