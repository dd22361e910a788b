import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UnavailableError } from '../core/errors.ts';
import { sendAnswer } from './answers.ts';
import type { Handler } from './endpoint.ts';
import type { Operation } from './operation.ts';
import { refusal, text } from './operation.ts';

/** A copy of the log on this machine's disk, gone when disposed. */
export interface Copy extends AsyncDisposable {
  readonly path: string;
}

export const BACK_UP: Operation = {
  id: 'backUp',
  tag: 'server',
  summary: 'Download a copy of the log while the server runs',
  description:
    'An SQLite file with everything accepted before the request. To restore it, stop the server and replace events.db with it.',
  responses: {
    200: text('The file', 'application/vnd.sqlite3'),
    409: refusal('The log is in memory, or in PostgreSQL'),
    503: refusal('Another backup is running, or the disk is full'),
  },
};

/** Sends a copy of the log. `copy` resolves with undefined where the log is not on a disk. */
export function backUp(copy: () => Promise<Copy | undefined>): Handler {
  let isBusy = false;
  return async (exchange) => {
    if (isBusy) throw new UnavailableError('not_ready', 'another backup is running; try again later', 30);
    isBusy = true;
    try {
      await using made = await copy();
      if (made === undefined) {
        sendAnswer(exchange, {
          status: 409,
          error:
            'the log is not in a file, so there is nothing to copy; back up the database of store.kind=postgres with its own tools (pg_dump), or use store.kind=sqlite',
          field: 'store.kind',
        });
        return;
      }
      await using file = await open(made.path);
      const { size } = await file.stat();
      exchange
        .type('application/vnd.sqlite3')
        .header('Cache-Control', 'no-store')
        .header('Content-Length', size)
        .writeHead();
      await pipeline(file.createReadStream({ autoClose: false }), exchange.response).catch(ignoreAbort);
    } finally {
      isBusy = false;
    }
  };
}

/** The codes of a pipeline whose reader went away. */
const LEFT: ReadonlySet<string | undefined> = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_UNABLE_TO_PIPE',
]);

/** A client that goes away before it has all is no failure of the server's. */
function ignoreAbort(error: NodeJS.ErrnoException): void {
  if (!LEFT.has(error.code)) throw error;
}
