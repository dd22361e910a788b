import { FOREIGN_PAGE } from './auth/describeAccess.ts';
import type { Operation, Parameter } from './operation.ts';
import { refusal, text } from './operation.ts';

const PARAMETERS: readonly Parameter[] = [
  {
    name: 'scraper',
    in: 'query',
    description: 'The id of the scraper. Default: the header X-Scraper-Id, or else the address',
    schema: { type: 'string' },
  },
  {
    name: 'timestamps',
    in: 'query',
    description:
      "explicit: samples have the event's own time; scrape: they have none, so they get the time of the scrape; auto: explicit in protobuf, which can end a series, and otherwise as in the setting scrape.timestamps",
    schema: { type: 'string', enum: ['explicit', 'scrape', 'auto'] },
  },
  {
    name: 'without',
    in: 'query',
    description: 'Labels of the target to keep off events, such as instance,pod; needs honor_labels: true',
    schema: { type: 'array', items: { type: 'string' } },
  },
  {
    name: 'series',
    in: 'query',
    description:
      'once: a timed scrape shows only one sample of each series, and leaves the others for the next scrapes',
    schema: { type: 'string', enum: ['once', 'all'] },
  },
  {
    name: 'peek',
    in: 'query',
    description: 'Look without consuming anything',
    schema: { type: 'string', enum: ['true', 'false'] },
  },
];

const RESPONSES: Operation['responses'] = {
  200: text('A scrape', 'text/plain', 'application/openmetrics-text', 'application/vnd.google.protobuf'),
  400: refusal('Invalid parameter'),
  503: refusal('Too many scrapers, or the server is starting or stopping; see Retry-After'),
};

export const SCRAPE: Operation = {
  id: 'scrape',
  tag: 'scrapes',
  summary:
    "Get the events that this scraper hasn't had yet, and the server's own metrics; with `?peek=true`, without taking them",
  parameters: PARAMETERS,
  responses: { ...RESPONSES, 403: refusal(FOREIGN_PAGE) },
};

export const SCRAPE_HEAD: Operation = {
  id: 'scrapeHead',
  tag: 'scrapes',
  summary: 'Get only the headers of a scrape, without taking anything',
  parameters: PARAMETERS,
  responses: RESPONSES,
};
