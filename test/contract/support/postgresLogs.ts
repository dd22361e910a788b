import { onTestFinished } from 'vitest';
import type { StoreNews } from '../../../src/log/log.ts';
import type { PostgresPlace } from '../../../src/log/postgres/place.ts';
import { PostgresLog } from '../../../src/log/postgres/postgresLog.ts';
import { DatabaseProxy } from '../../support/databaseProxy.ts';
import type { Postgres } from '../../support/postgres.ts';
import { values } from './builders.ts';
import { started } from './logs.ts';

export async function aProxy(postgres: Postgres): Promise<DatabaseProxy> {
  const proxy = await DatabaseProxy.start(postgres.port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

/** A log behind a proxy. */
export async function aLogBehind(
  postgres: Postgres,
  proxy: DatabaseProxy,
  given: Partial<PostgresPlace> = {},
) {
  const place = postgres.place({ hosts: [{ host: '127.0.0.1', port: proxy.port }], ...given });
  const log = new PostgresLog(place);
  const told: number[] = [];
  const news: StoreNews[] = [];
  log.onCommitted((entries) => told.push(...values(entries)));
  log.onStore((each) => news.push(each));
  await started(log);
  return { log, place, told, news };
}
