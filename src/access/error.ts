/**
 * A file that says who may do what, or how, can't be used. The message is one line: which file, where in it, the rule, what to do.
 * It never holds a key, a password, a token, or the hash of one.
 */
export class AccessFileError extends Error {
  override readonly name = 'AccessFileError';
}

/** More passwords wait to be compared than there is time for. Nothing of the request was looked at. */
export class PasswordsWaitingError extends Error {
  override readonly name = 'PasswordsWaitingError';
  /** When to try again, in seconds. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(
      `too many passwords are being compared; try again in ${retryAfterSeconds} s, or use a token, which is checked at once`,
    );
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
