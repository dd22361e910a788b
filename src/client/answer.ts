import type { Delivery } from './delivery.ts';
import { deliveryIn, isFinal } from './delivery.ts';
import { retryAfterOf } from './retry.ts';

/** What an answer of the server means for the event. */
export type Answer =
  | { readonly kind: 'accepted'; readonly duplicate: boolean; readonly waited?: Waited }
  | { readonly kind: 'refused' | 'denied'; readonly message: string; readonly field: string | undefined }
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfterMs: number | undefined };

/** What became of a wait. */
export interface Waited {
  readonly delivery: Delivery;
  /** Whether it is of no use to wait again. */
  readonly isFinal: boolean;
  readonly retryAfterMs: number | undefined;
}

/** The event itself is at fault: it, or a part of it, breaks a rule or a limit. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 414, 415, 422, 431]);
/** Too early, too slow, too often: the same request may succeed later. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);
const SHOWN_CHARACTERS_MAX = 300;

/** Judges an answer to `POST /event` by its status and its body. */
export function judge(status: number, body: string, retryAfter: string | null, now: number): Answer {
  const said = objectIn(body);
  const { accepted, duplicate, error, field } = said;
  if (status >= 200 && status < 300) {
    if (typeof accepted === 'number' || duplicate === true) {
      const stored = { kind: 'accepted', duplicate: duplicate === true } as const;
      const delivery = deliveryIn(said);
      if (delivery === undefined) return stored;
      const retryAfterMs = retryAfterOf(retryAfter, now);
      return {
        ...stored,
        waited: { delivery, isFinal: delivery.delivered || isFinal(said['ended']), retryAfterMs },
      };
    }
    // A proxy's or another service's page would otherwise count as an event that is stored.
    const message = `the answer (${status}) doesn't look like one from oneShotMetricsServer; check the address`;
    return { kind: 'denied', message, field: undefined };
  }
  const why = typeof error === 'string' ? error.slice(0, SHOWN_CHARACTERS_MAX) : '';
  const message = why === '' ? `the server answered ${status}` : `${why} (${status})`;
  if (status >= 500 || LATER.has(status)) {
    return { kind: 'unavailable', message, retryAfterMs: retryAfterOf(retryAfter, now) };
  }
  // This server says what is wrong. Others say so of plain HTTP on a port with TLS: the event isn't at fault.
  if (status === 400 && why === '') {
    const foreign =
      "the answer (400) doesn't look like one from oneShotMetricsServer; check the address, also whether it begins with http:// or https://";
    return { kind: 'denied', message: foreign, field: undefined };
  }
  if (!REFUSED.has(status)) return { kind: 'denied', message: denied(status, message), field: undefined };
  return { kind: 'refused', message, field: typeof field === 'string' ? field : undefined };
}

function denied(status: number, message: string): string {
  if (status === 401 || status === 403) return `${message}; check the token or the user`;
  // 0 is how a browser shows a redirect that it was told not to follow.
  if (status < 400) return 'the server redirects to another address; use that one';
  return `${message}; check the address`;
}

export function objectIn(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
