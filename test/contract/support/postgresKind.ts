import { PostgresLog } from '../../../src/log/postgres/postgresLog.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../../support/postgres.ts';
import { afterAll, test } from 'vitest';
import type { LogKind } from './logs.ts';

/** A real PostgreSQL for all tests of a file; undefined where there is none on this machine. */
export const postgres =
  requirePostgres() === undefined ? undefined : await Postgres.start({ settings: ['fsync=off'] });
afterAll(() => postgres?.[Symbol.asyncDispose]());

if (postgres === undefined) test.skip(`PostgresLog (${HOW_TO_GET_POSTGRES})`, () => undefined);

/** The log in it, if there is one. */
export const POSTGRES_KINDS: readonly LogKind[] =
  postgres === undefined
    ? []
    : [
        {
          name: 'PostgresLog',
          place: () => {
            const place = postgres.place();
            return () => new PostgresLog(place);
          },
          isPersistent: true,
          savesAtOnce: false,
        },
      ];
