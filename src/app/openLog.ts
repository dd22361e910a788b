import { readPostgresUrl } from '../config/postgresUrl.ts';
import type { Settings } from '../config/settings.ts';
import type { Memory } from '../core/memory.ts';
import type { Inbox } from '../log/inbox.ts';
import type { Log } from '../log/log.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { InboxWriter } from '../log/postgres/inboxWriter.ts';
import { PostgresLog } from '../log/postgres/postgresLog.ts';
import { SqliteLog } from '../log/sqlite/sqliteLog.ts';

/** Where servers that share a log put what the leader is to order; undefined for a log that nobody shares. */
export function openInbox(settings: Settings): Inbox | undefined {
  return settings['store.kind'] === 'postgres' ? new InboxWriter(placeOf(settings)) : undefined;
}

function placeOf(settings: Settings) {
  return { ...readPostgresUrl(settings['store.url']), schema: settings['store.schema'] };
}

/** The log that the settings ask for, not started yet. */
export function openLog(settings: Settings, memory: Memory): Log {
  if (settings['store.kind'] === 'memory') return new MemoryLog(memory.log);
  if (settings['store.kind'] === 'postgres') {
    return new PostgresLog(placeOf(settings), { leaseMs: settings['replicas.lease'], standsBy: true });
  }
  return new SqliteLog({ path: settings['store.path'], durability: settings['store.durability'] });
}
