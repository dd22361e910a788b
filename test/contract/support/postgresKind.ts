import { afterAll } from 'vitest';
import { PostgresLog } from '../../../src/log/postgres/postgresLog.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../../support/postgres.ts';
import type { LogKind } from './logs.ts';

/** A real PostgreSQL for all tests of a file, if there is one on this machine. */
const postgres =
  requirePostgres() === undefined ? undefined : await Postgres.start({ settings: ['fsync=off'] });
afterAll(() => postgres?.[Symbol.asyncDispose]());

export const POSTGRES_KIND: LogKind = {
  name: 'PostgresLog',
  place: () => {
    if (postgres === undefined) throw new Error(HOW_TO_GET_POSTGRES);
    const place = postgres.place();
    return () => new PostgresLog(place);
  },
  isPersistent: true,
  savesAtOnce: false,
  ...(postgres === undefined && { needs: HOW_TO_GET_POSTGRES }),
};
