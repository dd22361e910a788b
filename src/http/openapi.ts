import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

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

/**
 * `GET /openapi.json`: what the routes are, made from the schemas that they are checked and written by. To be registered before the
 * routes that it shall tell of.
 */
export async function openApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    exposeHeadRoutes: true,
    openapi: {
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
    },
  });
  const schema = {
    tags: ['about'],
    summary: 'Get this description',
    response: { 200: { description: 'The description', type: 'object', additionalProperties: true } },
  };
  app.get('/openapi.json', { schema }, (_request, reply) => reply.send(app.swagger()));
}
