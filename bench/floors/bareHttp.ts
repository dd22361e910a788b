/** Floor (a): bare `node:http` that parses the same URL, or the same lines, and answers 200. It keeps nothing. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from './listen.ts';
import { bodyOf, linesOf, parametersOf } from './readings.ts';

const ACCEPTED = Buffer.from('{"accepted":1}');
const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': ACCEPTED.length };

listen((request, response) => {
  if (Number(request.headers['content-length'] ?? 0) > 0) void answerLines(request, response);
  else {
    parametersOf(request);
    response.writeHead(200, HEADERS).end(ACCEPTED);
  }
});

async function answerLines(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = `{"accepted":${linesOf(await bodyOf(request)).length}}`;
  response.writeHead(200, { ...HEADERS, 'Content-Length': answer.length }).end(answer);
}
