import type { Credentials } from '../client/authorization.ts';
import { authorization } from '../client/authorization.ts';
import type { RetryLimits, Retry } from '../client/client.ts';
import { OneShotClient } from '../client/client.ts';
import { endpoint } from '../client/endpoint.ts';
import { text } from '../config/valueTypes.ts';
import { MINUTE, SECOND, duration } from '../config/quantities.ts';
import type { Remote } from './api.ts';
import type { Args } from './args.ts';
import type { Options } from './options.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';

export const DEFAULT_URL = 'http://localhost:8090';
const TIMEOUT_MS = 10 * SECOND;

/** The options of every command that talks to a server. */
export const REMOTE_OPTIONS: Options = {
  url: {
    type: { ...text(), placeholder: '<url>' },
    env: 'ONESHOT_URL',
    doc: `The URL of the server. Default: $ONESHOT_URL, or else ${DEFAULT_URL}.`,
  },
  token: {
    type: { ...text(), placeholder: '<token>' },
    env: 'ONESHOT_TOKEN',
    doc: "A bearer token. Default: $ONESHOT_TOKEN, which other users of the machine can't see (unlike the command line).",
  },
  user: {
    type: { ...text(), placeholder: '<name:password>' },
    env: 'ONESHOT_USER',
    doc: 'A user instead of a token. Default: $ONESHOT_USER.',
  },
  timeout: {
    type: duration({ min: 1, max: 10 * MINUTE }),
    doc: 'Timeout of each request. Default: 10s.',
  },
};

/** The server that the options name. Throws a UsageError. */
export function remoteOf(args: Args): Remote {
  const url = args.text('url') ?? DEFAULT_URL;
  const credentials = credentialsOf(args);
  try {
    endpoint(url, '');
    authorization(credentials);
  } catch (cause) {
    // It begins with what the option is called, too.
    throw new UsageError(`--${(cause as Error).message}`, { cause });
  }
  return { url, credentials, timeoutMs: args.number('timeout') ?? TIMEOUT_MS };
}

/** A token wins over a user, so that one on the command line is not disturbed by a variable. */
function credentialsOf(args: Args): Credentials {
  const [token, user] = [args.text('token'), args.text('user')];
  if (token !== undefined) return { token };
  if (user === undefined) return {};
  const colon = user.indexOf(':');
  if (colon < 1)
    throw new UsageError("--user must be name:password; its value isn't shown because it is a secret");
  return { user: { name: user.slice(0, colon), password: user.slice(colon + 1) } };
}

/** A client that posts to the server, in the time and with the randomness of the process. */
export function clientFor(
  io: CliIo,
  { url, credentials, timeoutMs }: Remote,
  retry: Partial<RetryLimits> = {},
  onRetry?: (retry: Retry) => void,
): OneShotClient {
  return new OneShotClient({
    url,
    ...credentials,
    retry: { attemptMs: timeoutMs, ...retry },
    platform: {
      fetch: (address, init) => io.fetch(address, init),
      now: io.clock,
      random: io.random,
      elapsed: io.elapsed,
      randomId: io.randomId,
      sleep: io.sleep,
    },
    onRetry,
  });
}
