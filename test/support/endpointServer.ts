import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Share } from '../../src/core/memory.ts';
import { AnswerMemory } from '../../src/http/answerMemory.ts';
import type { Guard } from '../../src/http/auth/guard.ts';
import { BodyMemory } from '../../src/http/bodyMemory.ts';
import type { Endpoint } from '../../src/http/endpoint.ts';
import { Router } from '../../src/http/router.ts';
import { serving } from '../../src/http/serve.ts';

export interface EndpointServer extends AsyncDisposable {
  readonly ask: (method: string, path: string, init?: RequestInit) => Promise<Response>;
  /** What it told of: route, status and error of each request that was refused, or that failed. */
  readonly told: readonly (readonly [route: string, status: number, error: unknown])[];
}

/** A server with some endpoints and nothing else. Without a guard it lets in everybody. */
export async function endpointServer(
  endpoints: readonly Endpoint[],
  guard: Guard = () => undefined,
): Promise<EndpointServer> {
  const told: [string, number, unknown][] = [];
  const router = new Router(endpoints);
  const server = createServer(
    serving({
      placeOf: (url) => router.at(url),
      guard,
      readiness: () => ({ ready: true }),
      urlBytesMax: 1_000,
      memory: new BodyMemory(new Share(1_000_000), () => 0),
      answers: new AnswerMemory(new Share(1_000_000), () => undefined),
      observeRequest: () => undefined,
      tell: (route, { status }, error) => told.push([route, status, error]),
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ask: (method, path, init = {}) => fetch(`http://127.0.0.1:${port}${path}`, { ...init, method }),
    told,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
