import { UnavailableError } from '../core/errors.ts';
import type { Handler } from './endpoint.ts';
import type { Operation } from './operation.ts';
import { refusal, text } from './operation.ts';

/** Whether the server takes requests now, and if not, why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly why: string };

const PLAIN = 'text/plain; charset=utf-8';

/** Whether the process answers, under the name `id`. */
export const isAlive = (id: string): Operation => ({
  id,
  tag: 'health',
  summary: 'Check that the process answers',
  responses: { 200: text('The process answers', 'text/plain') },
});

export const IS_READY: Operation = {
  id: 'checkReady',
  tag: 'health',
  summary: "Check that the server accepts requests: it doesn't while it opens the log or stops",
  responses: {
    200: text('The server accepts requests', 'text/plain'),
    503: refusal('Not yet, or no longer'),
  },
};

/** Says that the process answers. */
export function alive(words: string): Handler {
  return (exchange) => exchange.type(PLAIN).send(words);
}

/** Says whether the server is ready. */
export function ready(readiness: () => Readiness): Handler {
  return (exchange) => {
    const state = readiness();
    if (!state.ready) throw new UnavailableError('not_ready', state.why, 1);
    exchange.type(PLAIN).send('oneShotMetricsServer is ready.\n');
  };
}
