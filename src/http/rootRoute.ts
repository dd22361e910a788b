import type { FastifyInstance } from 'fastify';
import { textOf } from './openapi.ts';

export interface Welcome {
  /** For people with a terminal. */
  readonly text: string;
  /** For people with a browser; the host is as their request names it. */
  readonly html: (scheme: 'http' | 'https', host: string) => string;
  /** How to push, scrape and operate it, in Markdown. */
  readonly guide: string;
}

/** No scripts, no frames, nothing from elsewhere: the page is one file. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const schemaOf = (summary: string, ...types: readonly [string, ...string[]]) => ({
  tags: ['about'],
  summary,
  response: { 200: textOf(summary, ...types) },
});

/** `GET /`: a welcome; a page for browsers. `GET /docs`: the guide. */
export function rootRoute(app: FastifyInstance, { text, html, guide }: Welcome): void {
  app.get('/', { schema: schemaOf('Welcome page', 'text/plain', 'text/html') }, (request, reply) => {
    reply.header('Vary', 'Accept');
    if (request.headers.accept?.includes('text/html') !== true)
      return reply.type('text/plain; charset=utf-8').send(text);
    return reply
      .header('Content-Security-Policy', PAGE_POLICY)
      .header('X-Content-Type-Options', 'nosniff')
      .type('text/html; charset=utf-8')
      .send(html(request.protocol, request.headers.host ?? ''));
  });
  app.get('/docs', { schema: schemaOf('How to push, scrape and operate', 'text/plain') }, (_request, reply) =>
    reply.header('X-Content-Type-Options', 'nosniff').type('text/plain; charset=utf-8').send(guide),
  );
}
