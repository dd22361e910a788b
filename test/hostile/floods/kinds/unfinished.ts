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
  readonly text: () => string;
  readonly gzip?: boolean;
  readonly chunked?: boolean;
  readonly connections: number;
  readonly path?: string;
}

/** Opens connections, sends on each a body that does not end, and lets a byte follow now and then. A connection that is cut is opened again. */
function unfinished(wanted: Unfinished) {
  const { type, gzip = false, chunked = true, connections, path = '/event' } = wanted;
  return async (victim: Victim): Promise<void> => {
    const body = await bodyOf(wanted);
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

/** Bodies that were made before the time of their flood began: that of 60 MB takes seconds. */
const made = new Map<Unfinished, Promise<Buffer>>();

function bodyOf(wanted: Unfinished): Promise<Buffer> {
  const { text, gzip = false } = wanted;
  const body = made.get(wanted) ?? (gzip ? flushed(text()) : Promise.resolve(Buffer.from(text())));
  made.set(wanted, body);
  return body;
}

/** What gzip makes of a text whose end is not there yet: all of the text comes out of it. */
async function flushed(text: string): Promise<Buffer> {
  const gzip: Gzip = createGzip({ level: 6 });
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
const lines = (): string => '{"labels":{"a":"b"}}\n'.repeat(MILLION / 21);
/** Events of which no two are alike: what is made of them costs far more than they do. Digits keep gzip from more than its ratio may be. */
const manyLines = (count: number, bytes: number): string => {
  const filling = 'x'.repeat(bytes);
  const digits = (at: number): string => FACTORS.map((factor) => (at * factor) % PRIME).join('');
  return Array.from(
    { length: count },
    (_, at) => `{"labels":{"a":"${at}${bytes > LONG ? digits(at) : ''}${filling}"}}\n`,
  ).join('');
};
const FACTORS = [48_271, 69_621, 40_692, 39_373] as const;
const PRIME = 2_147_483_647;
const LONG = 100;
/** Just below `batch.eventsMax`. */
const EVENTS = 99_000;
const emptyEvents = (): string => '{}\n'.repeat(EVENTS);
const ids = (): string => Array.from({ length: 45_000 }, (_, at) => `{"id":"${at}x${at}"}\n`).join('');
const longLine = (): string => `{"labels":{"a":"${letters('ж', MILLION)}`;
const form = (): string => `a=${letters('ж', MILLION)}`;
const array = (): string => `[${'{"labels":{"a":"b"}},'.repeat(MILLION / 21)}`;
const oneMegabyte = (): string => manyLines(30_000, 4);
/** Just below `batch.bytesMax`, and some hundred kB on the wire. */
const sixtyMegabytes = (): string => manyLines(EVENTS, 560);
const MANY = 1000;
const SOME = 200;

/** Kinds 4 and 5: bodies whose end never comes. */
export const UNFINISHED: readonly Flood[] = [
  row(4, 'unfinished gzip of a form', { type: FORM, text: form, gzip: true, connections: MANY }, true),
  row(4, 'unfinished gzip of JSON', { type: JSON_TYPE, text: array, gzip: true, connections: MANY }),
  row(4, 'unfinished gzip of a long line', { type: NDJSON, text: longLine, gzip: true, connections: MANY }),
  row(4, 'unfinished gzip of lines', { type: NDJSON, text: lines, gzip: true, connections: MANY }),
  row(4, 'unfinished gzip for a webhook', {
    type: JSON_TYPE,
    text: array,
    gzip: true,
    connections: MANY,
    path: '/webhook/alertmanager',
  }),
  row(
    5,
    'unfinished lines, 60 MB out of gzip',
    { type: NDJSON, text: sixtyMegabytes, gzip: true, connections: 8 },
    true,
  ),
  row(5, 'unfinished lines, empty events', { type: NDJSON, text: emptyEvents, connections: SOME }),
  row(5, 'unfinished lines, ids', { type: NDJSON, text: ids, connections: SOME }),
  row(5, 'unfinished lines, chunked', { type: NDJSON, text: oneMegabyte, connections: SOME }, true),
  row(5, 'unfinished lines, gzip', { type: NDJSON, text: oneMegabyte, gzip: true, connections: 32 }),
  row(5, 'unfinished long line', { type: NDJSON, text: longLine, connections: SOME }),
  row(5, 'unfinished JSON, chunked', { type: JSON_TYPE, text: array, connections: SOME }, true),
  row(5, 'unfinished JSON, Content-Length', {
    type: JSON_TYPE,
    text: () => array().slice(0, 40_000),
    chunked: false,
    connections: MANY,
  }),
  row(5, 'unfinished form', { type: FORM, text: form, connections: SOME }),
  row(5, 'unfinished CloudEvents', {
    type: 'application/cloudevents-batch+json',
    text: array,
    connections: SOME,
  }),
  row(5, 'unfinished alerts', { type: JSON_TYPE, text: array, connections: SOME, path: '/api/v2/alerts' }),
];

function row(kind: number, name: string, wanted: Unfinished, isUsual = false): Flood {
  const whole = `${name}, ${wanted.connections} connections`;
  return {
    kind,
    name: whole,
    prepare: () => bodyOf(wanted).then(() => undefined),
    send: unfinished(wanted),
    ...(isUsual && { isUsual }),
  };
}
