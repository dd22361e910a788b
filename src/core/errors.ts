const SHOWN_CHARACTERS_MAX = 60;

/** A value as an error may show it: quoted, on one line, cut short. A text, or whatever JSON can hold. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value));
  return cut(JSON.stringify(value) ?? String(value));
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}

/** An error that says all in its message. Strangers can cause a hundred thousand at once, and a trace costs far more than the rest. */
class UntracedError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * Input that breaks a rule, and that only its sender can mend. Nothing of it was stored.
 * The message names the field, the rule, the value (cut short) and what to do.
 */
export class RefusedError extends UntracedError {
  override readonly name = 'RefusedError';
  /** What to look at: a label, a parameter, `body`, `url`. */
  readonly field: string;

  constructor(field: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
  }

  /** The same error of one event among several, which stands at a place such as `[3]`. */
  at(place: string): RefusedError {
    return new RefusedError(fieldAt(place, this.field), `${place}: ${this.message}`, { cause: this });
  }
}

function fieldAt(place: string, field: string): string {
  if (field === 'body') return place;
  return field.startsWith('[') ? place + field : `${place}.${field}`;
}

/** An event whose series would be one too many within the hour (HTTP 429). Nothing of it was stored. */
export class SeriesLimitError extends RefusedError {
  /** When there is room again, in seconds. */
  readonly retryAfterSeconds: number;

  constructor(field: string, message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(field, message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }

  override at(place: string): SeriesLimitError {
    return new SeriesLimitError(
      fieldAt(place, this.field),
      `${place}: ${this.message}`,
      this.retryAfterSeconds,
      { cause: this },
    );
  }
}

/** A whole request beyond a limit of size (HTTP 413 or 414). Nothing of it was stored. */
export class TooLargeError extends RefusedError {}

/** Input in a form that the server doesn't take (HTTP 415). Nothing of it was stored. */
export class UnsupportedError extends RefusedError {}

/** A request that doesn't show the secret it must (HTTP 401). Nothing of it was stored. */
export class UnauthorizedError extends RefusedError {}

/** Why the server can't do now what it was rightly asked for. */
export type UnavailableReason =
  'busy' | 'log_full' | 'memory_full' | 'not_ready' | 'scrapers_max' | 'standby' | 'store_away';

/** The server can't do it now; the same request may succeed later. Nothing of it was stored. */
export class UnavailableError extends UntracedError {
  override readonly name = 'UnavailableError';
  readonly reason: UnavailableReason;
  /** When to try again, in seconds. */
  readonly retryAfterSeconds: number;

  constructor(reason: UnavailableReason, message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
