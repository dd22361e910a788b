import { afterAll } from 'vitest';
import { PostgresLog } from '../../../src/log/postgres/postgresLog.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from '../../support/postgres.ts';
import type { LogKind } from './logs.ts';

/** A real PostgreSQL for all tests of a file, if there is one on this machine. */
const postgres =
  requirePostgres() === undefined ? undefined : await Postgres.start({ settings: ['fsync=off'] });
afterAll(() => postgres?.[Symbol.asyncDispose]());

const SERIAL = 'serial';
await postgres?.query(
  `CREATE ROLE ${SERIAL} LOGIN SUPERUSER; ALTER ROLE ${SERIAL} SET default_transaction_isolation = serializable`,
);

const kindOf = (name: string, user?: string): LogKind => ({
  name,
  place: () => {
    if (postgres === undefined) throw new Error(HOW_TO_GET_POSTGRES);
    const place = postgres.place(user === undefined ? {} : { user });
    return () => new PostgresLog(place);
  },
  isPersistent: true,
  savesAtOnce: false,
  ...(postgres === undefined && { needs: HOW_TO_GET_POSTGRES }),
});

export const POSTGRES_KINDS: readonly LogKind[] = [
  kindOf('PostgresLog'),
  // As CockroachDB and YugabyteDB may be, which are not here.
  kindOf('PostgresLog, where all transactions are serializable', SERIAL),
];
