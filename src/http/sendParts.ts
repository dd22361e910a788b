import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Claim } from '../core/memory.ts';
import type { AnswerMemory } from './answerMemory.ts';

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
  { raw }: FastifyReply,
  answers: AnswerMemory,
): void {
  making[Symbol.dispose]();
  if (size > JOINED_BYTES_MAX) answers.hold(raw, parts);
}

/** Sends a body that is held. The reply's headers, but for the length, must be set. */
export function sendParts(reply: FastifyReply, { parts, size }: Parts): FastifyReply {
  if (size <= JOINED_BYTES_MAX) return reply.send(Buffer.concat(parts));
  const { raw } = reply.header('Content-Length', size);
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  reply.hijack();
  raw.cork();
  for (const part of parts) raw.write(part);
  raw.end();
  return reply;
}
