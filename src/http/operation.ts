/** A JSON Schema, as OpenAPI 3.1 has them. */
export type Schema = Readonly<Record<string, unknown>>;

/** The groups of the API's description, with what it says of each. */
export const TAGS = {
  events: 'Posting and listing events',
  scrapes: 'Scraping events',
  scrapers: 'Who scrapes, and how far each scraper is',
  counters: 'Cumulative counts of events, by a few of their labels',
  server: 'Operating the server',
  health: 'Whether the server is up',
  about: 'About this server',
} as const;

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header' | 'path';
  readonly required?: true;
  readonly description?: string;
  readonly schema: Schema;
}

export interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

/** What the API's description says of an endpoint. Texts begin with a noun or a verb, and are plain English. */
export interface Operation {
  /** For generated clients: a verb, in camel case. No two endpoints have the same. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  /** What it does, in a few words: also for the README. */
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  /** The schema of each media type that is taken. */
  readonly requestBody?: Readonly<Record<string, Schema>>;
  /** By status. What every endpoint may answer is added: see openapi.ts. */
  readonly responses: Readonly<Record<number, Response>>;
}

/** The component that all errors share. */
const ERROR: Schema = { $ref: '#/components/schemas/Error' };

/** A response in JSON. */
export function json(description: string, schema: Schema): Response {
  return { description, content: { 'application/json': { schema } } };
}

/** Text in one or several media types. */
export function text(description: string, ...types: readonly [string, ...string[]]): Response {
  const content = Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]));
  return { description, content };
}

/** A response without a body. */
export function empty(description: string): Response {
  return { description };
}

/** An error. */
export function refusal(description: string): Response {
  return json(description, ERROR);
}
