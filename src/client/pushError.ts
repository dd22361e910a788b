/**
 * Why an event was not accepted, and so what can be done:
 * - `invalid`: it can't be an event; nothing was sent. Mend the call.
 * - `refused`: the server says that the event breaks one of its rules. Sending it again is of no use.
 * - `denied`: the address or the credentials are wrong. The same event may be sent once they are mended.
 * - `unavailable`: the server was not reached, did not answer, or had no room. It may have stored the event or not: send the very same
 *   sealed event again, whose id makes it one event.
 */
export type PushFailure = 'invalid' | 'refused' | 'denied' | 'unavailable';

export interface PushErrorDetails extends ErrorOptions {
  /** The status of the latest answer; absent where none came. */
  readonly status?: number | undefined;
  /** What to look at: a label, `value`, `id`. */
  readonly field?: string | undefined;
}

/** An event was not accepted. The message is one line for a person. */
export class PushError extends Error {
  override readonly name = 'PushError';
  readonly reason: PushFailure;
  readonly status: number | undefined;
  readonly field: string | undefined;

  constructor(reason: PushFailure, message: string, details: PushErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : {});
    this.reason = reason;
    this.status = details.status;
    this.field = details.field;
  }
}
