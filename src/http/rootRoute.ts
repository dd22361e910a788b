import type { Handler } from './endpoint.ts';
import type { Operation } from './operation.ts';
import { text } from './operation.ts';

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

export const WELCOME: Operation = {
  id: 'welcome',
  tag: 'about',
  summary: 'Welcome in plain text, or with a page in a browser',
  responses: { 200: text('A welcome', 'text/plain', 'text/html') },
};

export const READ_GUIDE: Operation = {
  id: 'readGuide',
  tag: 'about',
  summary: 'Read how to push, scrape and operate',
  responses: { 200: text('The guide, in Markdown', 'text/plain') },
};

/** A welcome; a page for browsers. */
export function welcome({ text: plain, html }: Welcome): Handler {
  return (exchange) => {
    const { headers, socket } = exchange.request;
    exchange.header('Vary', 'Accept');
    if (headers.accept?.includes('text/html') !== true) {
      exchange.type('text/plain; charset=utf-8').send(plain);
      return;
    }
    exchange
      .header('Content-Security-Policy', PAGE_POLICY)
      .header('X-Content-Type-Options', 'nosniff')
      .type('text/html; charset=utf-8')
      .send(html('encrypted' in socket ? 'https' : 'http', headers.host ?? ''));
  };
}

export function readGuide({ guide }: Welcome): Handler {
  return (exchange) =>
    exchange.header('X-Content-Type-Options', 'nosniff').type('text/plain; charset=utf-8').send(guide);
}
