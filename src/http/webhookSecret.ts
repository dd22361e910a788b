import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { UnauthorizedError } from '../core/errors.ts';
import type { Headers } from '../wire/in/mapping/reference.ts';
import type { Webhook } from '../wire/in/mapping/webhooks.ts';

/**
 * Checks that a request shows the webhook's secret: itself, or in an HMAC with SHA-256 over the body as it came. How long it takes tells nothing of
 * the secret. Throws an UnauthorizedError.
 */
export function checkSecret(secret: Webhook['secret'], headers: Headers, body: Uint8Array): void {
  if (secret === undefined) return;
  const { by, header, prefix, text } = secret;
  const shown = headers(header.toLowerCase());
  if (shown === undefined)
    throw new UnauthorizedError(header, `${header} is missing; this webhook has a secret`);
  const expected = by === 'token' ? text : createHmac('sha256', text).update(body).digest('hex');
  if (shown.startsWith(prefix) && isSame(shown.slice(prefix.length), expected)) return;
  const what = by === 'token' ? 'is not the token' : 'is not the signature of this body';
  throw new UnauthorizedError(header, `${header} ${what}; give both sides the same secret`);
}

/** Compares by digests, which have one length whatever is compared. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
