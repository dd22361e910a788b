import { readPostgresUrl } from '../config/postgresUrl.ts';
import type { Settings } from '../config/settings.ts';
import type { Memory } from '../core/memory.ts';
import type { Log } from '../log/log.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { PostgresLog } from '../log/postgres/postgresLog.ts';
import { SqliteLog } from '../log/sqlite/sqliteLog.ts';

/** The log that the settings ask for, not started yet. */
export function openLog(settings: Settings, memory: Memory): Log {
  if (settings['store.kind'] === 'memory') return new MemoryLog(memory.log);
  if (settings['store.kind'] === 'postgres') {
    const schema = settings['store.schema'];
    const place = { ...readPostgresUrl(settings['store.url']), schema };
    return new PostgresLog(place, { leaseMs: settings['replicas.lease'], standsBy: true });
  }
  return new SqliteLog({ path: settings['store.path'], durability: settings['store.durability'] });
}
