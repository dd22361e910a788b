import type { ServerResponse } from 'node:http';

/** Calls back once a response has left, or its connection has; at once where that is so already: nobody would hear of it again. */
export function whenClosed(response: ServerResponse, call: () => void): void {
  if (response.closed) call();
  else response.once('close', call);
}
