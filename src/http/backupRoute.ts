import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { UnavailableError } from '../core/errors.ts';
import { sendAnswer } from './answers.ts';
import { ERROR } from './openapi.ts';

/** A copy of the log on this machine's disk, gone when disposed. */
export interface Copy extends AsyncDisposable {
  readonly path: string;
}

const SCHEMA = {
  summary: 'A copy of the log, made while the server goes on',
  description:
    'An SQLite file that holds everything accepted before the request. Stop the server and put it in the place of events.db to restore it.',
  tags: ['server'],
  response: {
    200: { description: 'the file', content: { 'application/vnd.sqlite3': { schema: { type: 'string' } } } },
    409: { ...ERROR, description: 'the log is in memory' },
    503: { ...ERROR, description: 'another backup is under way, or there is no room on the disk' },
  },
} as const;

/** `POST /api/v1/backup`. `copy` resolves with undefined where the log is not on a disk. */
export function backupRoute(app: FastifyInstance, copy: () => Promise<Copy | undefined>): void {
  let isBusy = false;
  app.post('/api/v1/backup', { schema: SCHEMA, config: { access: 'admin' } }, async (request, reply) => {
    if (isBusy) throw new UnavailableError('not_ready', 'another backup is under way; try again later', 30);
    isBusy = true;
    let made: Copy | undefined;
    const end = async (): Promise<void> => {
      isBusy = false;
      await made?.[Symbol.asyncDispose]();
    };
    try {
      made = await copy();
      if (made === undefined) {
        await end();
        return sendAnswer(request, reply, {
          status: 409,
          error: 'the log is in memory (store.kind=memory), and there is nothing to back up',
          field: 'store.kind',
        });
      }
      const { size } = await stat(made.path);
      const stream = createReadStream(made.path);
      stream.once('close', () => void end());
      return await reply
        .type('application/vnd.sqlite3')
        .header('Cache-Control', 'no-store')
        .header('Content-Length', size)
        .send(stream);
    } catch (error) {
      await end();
      throw error;
    }
  });
}
