import type { ServerResponse } from 'node:http';
import type { Claim } from '../core/memory.ts';
import type { AnswerMemory } from './answerMemory.ts';
import type { Exchange } from './exchange.ts';

/** A larger body is handed to the socket in its parts: to join them costs more than that. */
const JOINED_BYTES_MAX = 16 * 1024;

/** A body in its parts, and their length together. */
export interface Parts {
  readonly parts: readonly Uint8Array[];
  readonly size: number;
}

/** Counts a body that is made until it has left, and gives back what making it took. */
export function holdParts(
  { parts, size }: Parts,
  making: Claim,
  response: ServerResponse,
  answers: AnswerMemory,
): void {
  making[Symbol.dispose]();
  if (size > JOINED_BYTES_MAX) answers.hold(response, parts);
}

/** Sends a body that is held. The headers, but for the length, must be set. */
export function sendParts(exchange: Exchange, { parts, size }: Parts): void {
  if (size <= JOINED_BYTES_MAX) {
    exchange.send(Buffer.concat(parts));
    return;
  }
  exchange.writeHead({ 'content-length': size });
  const { response } = exchange;
  response.cork();
  for (const part of parts) response.write(part);
  response.end();
}
