import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RefusedError, UnavailableError } from '../core/errors.ts';
import type { AnswerMemory } from './answerMemory.ts';
import type { Answer } from './answers.ts';
import { answerOf, answerUnrouted, sendAnswer } from './answers.ts';
import type { Guard } from './auth/guard.ts';
import type { BodyMemory } from './bodyMemory.ts';
import type { Endpoint } from './endpoint.ts';
import type { Shared } from './exchange.ts';
import { Exchange } from './exchange.ts';
import type { Readiness } from './healthRoutes.ts';
import { RequestBodies } from './requestBodies.ts';
import { checkHead } from './requestHead.ts';
import type { Place, Router } from './router.ts';

export interface ServingParts {
  /** What stands at a URL's path now. Throws a RefusedError for a path that can't be read. */
  readonly placeOf: Router['at'];
  readonly guard: Guard;
  readonly readiness: () => Readiness;
  readonly urlBytesMax: number;
  readonly memory: BodyMemory;
  readonly answers: AnswerMemory;
  /** Hears of each answer that has left. */
  readonly observeRequest: (route: string, method: string, status: number) => void;
  /** Hears of each request that was refused, or that failed. */
  readonly tell: (route: string, answer: Answer, error: unknown) => void;
}

/** What stands at a request's path, and what it is refused for if that can't be read. */
interface Found {
  readonly place: Place | undefined;
  readonly error?: RefusedError;
}

/** A response that fails is over; its connection tells of it. */
const ignore = () => undefined;

/**
 * The way of each request: found in the table of endpoints, its head checked, let in by the guard, answered by its row. Whatever goes wrong on it
 * is answered in one place.
 */
export function serving(parts: ServingParts): RequestListener {
  const { placeOf, guard, readiness, memory, answers, observeRequest, tell, urlBytesMax } = parts;
  const shared: Shared = { answers, bodies: new RequestBodies(memory) };

  const find = ({ url = '' }: IncomingMessage): Found => {
    try {
      return { place: placeOf(url) };
    } catch (error) {
      if (error instanceof RefusedError) return { place: undefined, error };
      throw error;
    }
  };

  const fail = (exchange: Exchange, error: unknown): void => {
    const answer = answerOf(error);
    tell(exchange.route, answer, error);
    // What has begun to leave can't be taken back; its reader sees that it isn't whole.
    if (!exchange.response.headersSent) sendAnswer(exchange, answer);
    else if (!exchange.response.writableEnded) exchange.response.destroy();
  };

  const answer = (exchange: Exchange, { place, error }: Found, endpoint: Endpoint | undefined): void => {
    const state = readiness();
    if (!state.ready && endpoint?.isHealthCheck !== true)
      throw new UnavailableError('not_ready', state.why, 1);
    memory.open(exchange);
    if (error !== undefined) throw error;
    if (endpoint === undefined) {
      answerUnrouted(exchange, [...(place?.methods.keys() ?? [])]);
      return;
    }
    endpoint.handler(exchange)?.catch((failed: unknown) => fail(exchange, failed));
  };

  const begin = (exchange: Exchange): void => {
    const { request } = exchange;
    try {
      const found = find(request);
      const endpoint = found.place?.methods.get(request.method ?? '');
      exchange.endpoint = endpoint;
      exchange.id = found.place?.id ?? '';
      checkHead(request, urlBytesMax);
      const passing = guard(exchange);
      if (passing === undefined) answer(exchange, found, endpoint);
      else
        passing
          .then(() => answer(exchange, found, endpoint))
          .catch((error: unknown) => fail(exchange, error));
    } catch (error) {
      fail(exchange, error);
    }
  };

  return (request: IncomingMessage, response: ServerResponse) => {
    // What is left of a connection that was closed for what it sent.
    if (request.socket.destroyed) return;
    const exchange = new Exchange(request, response, shared);
    response.on('error', ignore);
    response.on('finish', () => observeRequest(exchange.route, request.method ?? '', response.statusCode));
    // An answer to a pipelined request would wait for the one before it, and be held all the while.
    if (request.method !== 'POST' && response.socket === null) response.once('socket', () => begin(exchange));
    else begin(exchange);
  };
}
