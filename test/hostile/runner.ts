import { expect } from 'vitest';
import { HOW_TO_GET_PROMETHEUS, findPromtool, promtoolCheckMetrics } from '../support/prometheus.ts';
import { RawClient, request } from '../support/rawHttp.ts';
import { parseSamples } from '../support/strictParser.ts';
import type { Headers, Row } from './row.ts';

/** Where the requests go, and with what credential its log and its metrics are looked at. */
export interface Target {
  readonly port: number;
  readonly credential?: Headers;
}

interface Feed {
  readonly end: number;
  readonly events: readonly { readonly series: string }[];
}

/** What became of a row, in the words of the row. */
export interface Verdict {
  readonly status: Row['status'];
  readonly field: string | undefined;
  readonly stored: number;
  readonly series: string | undefined;
}

/** What a row says of itself. */
export const expectedOf = ({ status, field, stored = 0, series }: Row): Verdict => ({
  status,
  field,
  stored,
  series,
});

/** Sends a row, and tells what became of it, and what the answer says. A scrape right after it must be valid. */
export async function verdictOn(row: Row, target: Target): Promise<{ verdict: Verdict; says: string }> {
  const before = (await latest(target)).end;
  const { status, field, says } = await answerTo(row, target);
  const { end, series } = await latest(target);
  await validScrape(target);
  return { verdict: { status, field, stored: end - before, series: row.series && series }, says };
}

/** Valid metrics, or it throws. A look takes nothing, so it shows what a scrape would. */
export async function validScrape(target: Target): Promise<string> {
  const text = await look(target, '/metrics?peek=true');
  expect(parseSamples(text).length).toBeGreaterThan(50);
  return text;
}

/** What Prometheus' own tool has against it, where there is one. */
export async function complaintsAbout(text: string): Promise<string> {
  if (findPromtool() === undefined) {
    if ((process.env['CI'] ?? '') !== '') throw new Error(HOW_TO_GET_PROMETHEUS);
    return '';
  }
  const { code, output } = await promtoolCheckMetrics(text);
  // 3 says that a name breaks a convention: the senders' business.
  return code === 1 ? output : '';
}

/** The first answer, and whether the connection is at ease after it: it has ended, or it takes one request more and answers that. */
async function answerTo(
  row: Row,
  { port }: Target,
): Promise<{ status: Row['status']; field: string | undefined; says: string }> {
  const client = await RawClient.connect(port, { allowHalfOpen: true });
  try {
    client.send(row.bytes());
    if (row.ends === true) client.end();
    const { status, head, body } = await client.response();
    if (row.ends !== true) await isAtEase(client, row);
    if (head.includes('text/plain') && status >= 400)
      expect(body, 'an error is one line').toMatch(/^[^\n\r\u2028\u2029]{10,}\n$/);
    if (status < 400 || !head.includes('application/json')) return { status, field: undefined, says: body };
    const { error, field } = JSON.parse(body) as { error: string; field?: string };
    expect(error.length, 'an error says something').toBeGreaterThan(10);
    expect(error, 'an error is no fault of the server').not.toMatch(
      /internal error|undefined|\[object|    at /,
    );
    return { status, field, says: error };
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('the connection ended after 0')) throw error;
    return { status: 'cut', field: undefined, says: '' };
  } finally {
    client.socket.destroy();
  }
}

/** What was sent is one request and no part of the next: it is not taken for two, and nothing of it is left over. */
async function isAtEase(client: RawClient, { name }: Row): Promise<void> {
  try {
    client.get('/-/healthy');
    const { status, body } = await client.response();
    expect({ name, status, body }).toEqual({ name, status: 200, body: 'oneShotMetricsServer is healthy.\n' });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('the connection ended')) throw error;
  }
}

/** How long the log is, and its last event. */
async function latest(target: Target): Promise<{ end: number; series: string | undefined }> {
  const feed = JSON.parse(await look(target, '/api/v1/events?limit=1')) as Feed;
  return { end: feed.end, series: feed.events[0]?.series };
}

async function look({ port, credential = {} }: Target, path: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(request('GET', path, { ...credential, Connection: 'close' }));
  const { status, body } = await client.response();
  client.socket.destroy();
  expect({ path, status }).toEqual({ path, status: 200 });
  return body;
}
