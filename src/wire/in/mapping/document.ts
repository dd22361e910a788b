import { RefusedError } from '../../../core/errors.ts';

/** Reads a webhook's body: JSON in UTF-8. Of a member that stands twice the last counts, as for most senders' own readers. Throws a RefusedError. */
export function parseDocument(body: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new RefusedError('body', 'the body is not valid UTF-8; send JSON in UTF-8', { cause });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new RefusedError(
      'body',
      'the body is not valid JSON; send JSON, whatever its content type is called',
      {
        cause,
      },
    );
  }
}
