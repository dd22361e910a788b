import { ConfigError } from '../config/error.ts';
import type { Settings } from '../config/settings.ts';
import { shown } from '../core/errors.ts';
import type { Monotonic } from '../core/millis.ts';
import type { NameOfAddress } from '../http/identify.ts';
import { ApiServer } from '../kubernetes/apiServer.ts';
import { PodDirectory } from '../kubernetes/podDirectory.ts';
import { PodNames } from '../kubernetes/podNames.ts';
import type { WatchTrouble } from '../kubernetes/podWatch.ts';
import { PodWatch } from '../kubernetes/podWatch.ts';

/** How scrapers without an id of their own are named. Nothing runs before `start`. */
export interface Naming extends AsyncDisposable {
  readonly nameOf: NameOfAddress;
  start(): void;
}

/** Throws a ConfigError for an API server's address that is none. */
export function namingOf(settings: Settings, elapsed: Monotonic, trouble: WatchTrouble): Naming {
  if (settings['scrapers.identity'] === 'address') return BY_ADDRESS;
  const url = settings['kubernetes.url'];
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new ConfigError(
      `kubernetes.url ${shown(url)} is not a valid URL; write https://host or https://host:port`,
    );
  const api = new ApiServer({
    url,
    tokenFile: settings['kubernetes.tokenFile'],
    caFile: settings['kubernetes.caFile'],
  });
  const directory = new PodDirectory();
  const watch = new PodWatch(api, settings['kubernetes.namespace'], directory, trouble);
  const names = new PodNames(directory, watch, elapsed);
  return {
    nameOf: (address) => names.nameOf(address),
    start: () => watch.start(),
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}

const BY_ADDRESS: Naming = {
  nameOf: async () => undefined,
  start: () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
};
