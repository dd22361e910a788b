/** What came of a request: an answer, whatever it says, or none. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** How many samples it says it has written; undefined where it doesn't say. */
      readonly written: number | undefined;
      /** When it wants to be asked again, in ms from now. */
      readonly retryAfterMs: number | undefined;
      /** The beginning of its text, on one line, without secrets. */
      readonly words: string;
    }
  | {
      readonly kind: 'none';
      readonly why: string;
      /** Whether anything of the request may have reached the receiver. */
      readonly mayHaveArrived: boolean;
      /** Whether the time was over. */
      readonly isTimeout: boolean;
    };

/** The version of remote write that a request was written in. */
export type Version = '1.0' | '2.0';

/** What an answer means for the samples that were sent. */
export type Judgement =
  | { readonly kind: 'stored' }
  /** Some of them, or all, will never be taken. `written`: how many were, where the receiver says so. `why`: what it answered. */
  | { readonly kind: 'refused'; readonly written: number | undefined; readonly why: string }
  /** It doesn't understand 2.0. `mayHaveStored`: it called that a success, so perhaps it does, and doesn't say what it has written. */
  | { readonly kind: 'older'; readonly mayHaveStored: boolean }
  | { readonly kind: 'notNow'; readonly why: string; readonly retryAfterMs: number | undefined };

/**
 * Answers that say nothing of the samples, but that the request as a whole isn't taken: a wrong password, address or protocol, or a server
 * that wants to be asked later. An operator can mend that, and no event may be dropped for it.
 */
const OF_THE_REQUEST = new Set([
  401, 402, 403, 404, 405, 406, 407, 408, 410, 411, 415, 417, 421, 423, 424, 425, 426, 428, 429, 431, 451,
]);

/**
 * How Go's servers and nginx begin their 400 to whoever speaks HTTP to a port for HTTPS. No event is to blame, and none can make a receiver
 * begin its words like this.
 */
const WANTS_TLS =
  /^(?:Client sent an HTTP request to an HTTPS server|<html>\s*<head><title>400 The plain HTTP request was sent to HTTPS port)/;

export interface Sent {
  readonly version: Version;
  readonly samples: number;
  /** Whether 1.0 may be tried where 2.0 isn't understood. */
  readonly mayFallBack: boolean;
  /** Whether the receiver has understood 2.0 before. */
  readonly isProven: boolean;
}

/**
 * Judges an answer by https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#response. That page asks a sender to take a success without
 * the `Written` headers for 415: receivers of 1.0 that don't look at the content type read nothing out of a message of 2.0, and find
 * nothing wrong with it.
 */
export function judgeAnswer(answer: Answer, { version, samples, mayFallBack, isProven }: Sent): Judgement {
  if (answer.kind === 'none') return notNow(answer.why);
  const { status, written, words } = answer;
  const said = words === '' ? String(status) : `${status}: ${words}`;
  if (status === 400 && WANTS_TLS.test(words)) return notNow(`${said}; begin the url with https:`);
  const isSuccess = status >= 200 && status < 300;
  if (version === '2.0' && written === undefined) {
    // Whatever answers now isn't what did before: a page of a proxy's, for example.
    if (isSuccess && isProven)
      return notNow(`${said}; it no longer says what it has written, as remote write 2.0 demands`);
    if (isSuccess || status === 415)
      return mayFallBack
        ? { kind: 'older', mayHaveStored: isSuccess }
        : notNow(`${said}; it doesn't understand remote write 2.0; set protocol to remote-write-1 or auto`);
    // Receivers of 1.0 may answer 400 to what they don't understand.
    if (mayFallBack && !isProven && isRefusal(status)) return { kind: 'older', mayHaveStored: false };
  }
  if (isSuccess) {
    const isAll = written === undefined || version === '1.0' || written >= samples;
    if (isAll) return { kind: 'stored' };
    return { kind: 'refused', written, why: `${said}; it says that it has written less than it was sent` };
  }
  if (isRefusal(status))
    return { kind: 'refused', written: version === '2.0' ? written : undefined, why: said };
  if (status >= 300 && status < 400)
    return notNow(`${said}; redirects aren't followed; set the address that it redirects to`);
  return notNow(said, answer.retryAfterMs);
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && !OF_THE_REQUEST.has(status);
}

function notNow(why: string, retryAfterMs?: number): Judgement {
  return { kind: 'notNow', why, retryAfterMs };
}
