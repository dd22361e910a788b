/** A request without a valid credential (401). The message never repeats what was sent. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';
  /** For `WWW-Authenticate`, one each. */
  readonly challenges: readonly string[];

  constructor(message: string, challenges: readonly string[]) {
    super(message);
    this.challenges = challenges;
  }
}

/** A valid credential that lacks the scope that the route asks for (403). */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
  readonly challenges: readonly string[];

  constructor(message: string, challenges: readonly string[]) {
    super(message);
    this.challenges = challenges;
  }
}

/** More requests than a limit allows (429). Nothing of this one was looked at. */
export class TooManyRequestsError extends Error {
  override readonly name = 'TooManyRequestsError';
  /** When to try again, in seconds; at least 1. */
  readonly retryAfterSeconds: number;

  /** `remedy` goes on from the time to wait. */
  constructor(limit: string, waitMs: number, remedy: string) {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    super(`too many requests: ${limit}; try again in ${seconds} s, ${remedy}`);
    this.retryAfterSeconds = seconds;
  }
}
