import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Principal } from '../../access/scopes.ts';
import type { AdmissionParts } from './admission.ts';
import { Admission } from './admission.ts';
import { describeAccess } from './describeAccess.ts';
import type { RouteAccess } from './routeAccess.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom the credential proved; undefined where none is asked for. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** What the route asks for, where its method does not tell; see accessOf. */
    access?: RouteAccess;
  }
}

/** Asks of each request what `Admission` asks, before anything else of it is looked at. Returns that, for requests that come another way. */
export function guard(app: FastifyInstance, parts: AdmissionParts): Admission {
  const admission = new Admission(parts);
  app.decorateRequest('principal');
  describeAccess(app);
  app.addHook('onRequest', (request, reply, done) => {
    for (const [name, value] of admission.headers) reply.header(name, value);
    const { method, headers, routeOptions, raw } = request;
    const { url: route, config } = routeOptions;
    const { socket } = raw;
    const asking = { method, route, declared: config.access, headers, socket };
    const admitted = admission.admit(asking, admission.countedOf(socket));
    // Where there is nothing to wait for no promise is made of it: nearly all come this way.
    if (admitted instanceof Promise) {
      void admit(request, admitted, done);
    } else {
      request.principal = admitted;
      done();
    }
  });
  return admission;
}

async function admit(
  request: FastifyRequest,
  admitted: Promise<Principal | undefined>,
  done: (error?: Error) => void,
): Promise<void> {
  try {
    request.principal = await admitted;
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}
