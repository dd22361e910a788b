import { UnavailableError } from '../core/errors.ts';
import type { Endpoint, Handler } from './endpoint.ts';
import type { Operation } from './operation.ts';
import { refusal, text } from './operation.ts';

/** Whether the server takes requests now, and if not, why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly why: string };

/** Whether this server leads, and if not, why. */
export type Leading = { readonly leads: true } | { readonly leads: false; readonly why: string };

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

export const IS_LEADER: Operation = {
  id: 'checkLeader',
  tag: 'health',
  summary:
    'Check that the server is the one that delivers events: of several servers on one PostgreSQL, one is; a server of its own always is',
  responses: {
    200: text('The server delivers events', 'text/plain'),
    503: refusal('Another server does, or none'),
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

/** Says whether the server leads. */
export function leader(leading: () => Leading): Handler {
  return (exchange) => {
    const state = leading();
    if (!state.leads) throw new UnavailableError('standby', state.why, 1);
    exchange.type(PLAIN).send('oneShotMetricsServer leads.\n');
  };
}

/** A row as a server answers it that may stand by: what needs the leader says so there, and where to ask. */
export function leadersOnly(endpoint: Endpoint, leading: () => Leading): Endpoint {
  if (endpoint.isLeaders !== true) return endpoint;
  const { handler } = endpoint;
  return {
    ...endpoint,
    handler: (exchange) => {
      const state = leading();
      if (!state.leads) throw new UnavailableError('standby', state.why, 1);
      return handler(exchange);
    },
  };
}
