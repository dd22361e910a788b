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
  summary: 'Download a copy of the log while the server runs',
  description:
    'An SQLite file with everything accepted before the request. To restore it, stop the server and replace events.db with it.',
  tags: ['server'],
  response: {
    200: { description: 'The file', content: { 'application/vnd.sqlite3': { schema: { type: 'string' } } } },
    409: { ...ERROR, description: 'The log is in memory' },
    503: { ...ERROR, description: 'Another backup is running, or the disk is full' },
  },
} as const;

/** `POST /api/v1/backup`. `copy` resolves with undefined where the log is not on a disk. */
export function backupRoute(app: FastifyInstance, copy: () => Promise<Copy | undefined>): void {
  let isBusy = false;
  app.post('/api/v1/backup', { schema: SCHEMA, config: { access: 'admin' } }, async (request, reply) => {
    if (isBusy) throw new UnavailableError('not_ready', 'another backup is running; try again later', 30);
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
          error: 'there is nothing to back up because the log is in memory; use store.kind=sqlite',
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
