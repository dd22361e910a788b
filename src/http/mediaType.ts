import { UnsupportedError, shown } from '../core/errors.ts';

/** https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1 */
const MEDIA_TYPE = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)"?/i;
const IS_UTF8 = /^(?:utf-?8|us-ascii)$/i;

/** A media type in lower case, without its parameters; undefined where the header is none. */
export function mediaTypeOf(header: string | undefined): string | undefined {
  return MEDIA_TYPE.exec(header ?? '')?.[1]?.toLowerCase();
}

/** Throws an UnsupportedError where a Content-Type names a charset that is not UTF-8, or a part of it. */
export function checkCharset(header: string): void {
  const charset = CHARSET.exec(header)?.[1];
  if (charset === undefined || IS_UTF8.test(charset)) return;
  throw new UnsupportedError(
    'Content-Type',
    `unsupported charset ${shown(charset)} in Content-Type; send the body as UTF-8`,
  );
}
