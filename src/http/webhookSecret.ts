import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { UnauthorizedError } from '../core/errors.ts';
import type { Headers } from '../read/webhooks/reference.ts';
import type { Webhook } from '../read/webhooks/webhooks.ts';

/** How many signatures of one header are looked at: the old key's and the new one's, and some of other kinds. */
const SIGNATURES_MAX = 16;

/**
 * Checks that a request shows the webhook's secret: itself, or in an HMAC with SHA-256 over the body as it came. A header may hold several
 * signatures, separated by commas or blanks, as senders write while they change their key (`v1=old,v1=new`): one of them must fit. How long it
 * takes tells nothing of the secret. Throws an UnauthorizedError.
 */
export function checkSecret(secret: Webhook['secret'], headers: Headers, body: Uint8Array): void {
  if (secret === undefined) return;
  const { by, header, prefix, text } = secret;
  const shown = headers(header.toLowerCase());
  if (shown === undefined)
    throw new UnauthorizedError(header, `${header} is missing; this webhook requires a secret`);
  const expected = by === 'token' ? text : createHmac('sha256', text).update(body).digest('hex');
  // Some senders write hexadecimal digits in upper case.
  const cased = (digits: string) => (by === 'token' ? digits : digits.toLowerCase());
  const given = by === 'token' ? [shown] : shown.split(/[\s,]+/, SIGNATURES_MAX);
  if (given.some((each) => each.startsWith(prefix) && isSame(cased(each.slice(prefix.length)), expected)))
    return;
  const what = by === 'token' ? 'is not the right token' : 'is not the right signature for this body';
  throw new UnauthorizedError(header, `${header} ${what}; use the same secret on both sides`);
}

/** Compares by digests, which have one length whatever is compared. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
