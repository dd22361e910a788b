import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance, FastifyServerOptions, RouteOptions } from 'fastify';
import { fastify } from 'fastify';

/**
 * For a server whose routes' schemas only describe: what comes in is read strictly, and better refused, by `read`, and what goes out is written by hand.
 * Fastify's own compilers of schemas take a third of a start.
 */
export const SCHEMAS_DESCRIBE = {
  compilersFactory: { buildValidator: () => () => () => true, buildSerializer: () => () => JSON.stringify },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>;

/** What every error is, beside plain text. */
export const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: { type: 'string', description: 'The field, the rule, the value (cut short), and what to do' },
    field: { type: 'string' },
  },
} as const;

/** Text in one or several media types, for a route's response. */
export function textOf(description: string, ...types: readonly [string, ...string[]]) {
  const content = Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]));
  return { description, content };
}

/** What the description says beside the routes. */
const about = (version: string): NonNullable<FastifyDynamicSwaggerOptions['openapi']> => ({
  openapi: '3.1.0',
  info: {
    title: 'oneShotMetricsServer',
    description: 'Accepts events, and delivers each one once to each scraper.',
    version,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  // No credential where the server asks for none; see docs/operate/security.md for who may do what.
  security: [{}, { basic: [] }, { bearer: [] }],
  components: {
    securitySchemes: {
      basic: { type: 'http', scheme: 'basic' },
      bearer: {
        type: 'http',
        scheme: 'bearer',
        description: 'A token with one or more of the scopes write, scrape and admin',
      },
    },
  },
  tags: [
    { name: 'events', description: 'Posting and listing events' },
    { name: 'scrapes', description: 'Scraping events' },
    { name: 'scrapers', description: 'Who scrapes, and how far each scraper is' },
    { name: 'counters', description: 'Cumulative counts of events, by a few of their labels' },
    { name: 'health', description: 'Whether the server is up' },
    { name: 'about', description: 'About this server' },
  ],
});

/**
 * `GET /openapi.json`: what the routes are, made from their schemas. To be registered before the routes that it shall tell of.
 * It is made when it is first asked for, and what makes it is loaded then: few servers are ever asked.
 */
export function openApi(app: FastifyInstance, version: string): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  const schema = {
    tags: ['about'],
    summary: 'Get this description',
    response: { 200: { description: 'The description', type: 'object', additionalProperties: true } },
  };
  let description: string | undefined;
  app.get('/openapi.json', { schema }, async (_request, reply) => {
    description ??= JSON.stringify(await describe(routes, version));
    return reply.type('application/json; charset=utf-8').send(description);
  });
}

/** The description of some routes. They are told to a second server, which answers nobody: only a server that isn't ready yet takes a plugin. */
async function describe(routes: readonly RouteOptions[], version: string): Promise<object> {
  const { default: swagger } = await import('@fastify/swagger');
  const described = fastify({ exposeHeadRoutes: false, schemaController: SCHEMAS_DESCRIBE });
  await described.register(swagger, { exposeHeadRoutes: true, openapi: about(version) });
  for (const { method, url, schema = {} } of routes)
    described.route({ method, url, schema, handler: () => undefined });
  await described.ready();
  const description = described.swagger();
  await described.close();
  return description;
}
