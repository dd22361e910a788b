import type { Endpoint, Handler } from './endpoint.ts';
import { withHeads } from './endpoint.ts';
import { refusalsOf } from './auth/describeAccess.ts';
import type { Operation, Response } from './operation.ts';
import { TAGS, json, refusal } from './operation.ts';

/** What every error is, beside plain text. */
const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: { type: 'string', description: 'The field, the rule, the value (cut short), and what to do' },
    field: { type: 'string', description: 'What the error is about: a parameter, a header, a label, `body`' },
  },
} as const;

export const DESCRIBE_API: Operation = {
  id: 'describeApi',
  tag: 'about',
  summary: 'Get all endpoints as OpenAPI 3.1',
  responses: { 200: json('The description', { type: 'object', additionalProperties: true }) },
};

/** Sends the API's description. It is made when it is first asked for: few servers are ever asked. */
export function describeApi(endpoints: () => readonly Endpoint[], version: string): Handler {
  let description: string | undefined;
  return (exchange) => {
    description ??= JSON.stringify(openApi(endpoints(), version));
    exchange.type('application/json; charset=utf-8').send(description);
  };
}

/** The API's description: https://spec.openapis.org/oas/v3.1.1.html */
export function openApi(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of withHeads(endpoints)) {
    const { path, method, operation } = endpoint;
    if (operation === 'hidden') continue;
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(endpoint, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'oneShotMetricsServer',
      description: 'Accepts events, and delivers each one once to each scraper.',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // No credential where the server asks for none; see docs/operate/security.md for who may do what.
    security: [{}, { basic: [] }, { bearer: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { Error: ERROR },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token with one or more of the scopes write, scrape and admin',
        },
      },
    },
  };
}

function operationObject(
  endpoint: Endpoint,
  { id, tag, requestBody, responses, ...operation }: Operation,
): object {
  return {
    operationId: id,
    tags: [tag],
    ...operation,
    // What an endpoint that is open to all asks for, it asks for itself.
    ...(endpoint.access === 'open' && responses[401] === undefined && { security: [] }),
    ...(requestBody !== undefined && {
      requestBody: {
        content: Object.fromEntries(Object.entries(requestBody).map(([type, schema]) => [type, { schema }])),
      },
    }),
    responses: withRefusals(responses, refusalsOf(endpoint)),
  };
}

/** An endpoint's responses, with what may be answered in its place; a status has all its reasons. */
function withRefusals(
  own: Operation['responses'],
  refusals: ReturnType<typeof refusalsOf>,
): Operation['responses'] {
  const all: Record<number, Response> = { ...own };
  for (const [status, reason] of refusals) {
    const known = all[status]?.description;
    all[status] = refusal(known === undefined ? reason : `${known}. Or: ${reason}`);
  }
  return all;
}
