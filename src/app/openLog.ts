import type { Settings } from '../config/settings.ts';
import type { Memory } from '../core/memory.ts';
import type { Log } from '../log/log.ts';
import { MemoryLog } from '../log/memory/memoryLog.ts';
import { SqliteLog } from '../log/sqlite/sqliteLog.ts';

/** The log that the settings ask for, not started yet. */
export function openLog(settings: Settings, memory: Memory): Log {
  if (settings['store.kind'] === 'memory') return new MemoryLog(memory.log);
  return new SqliteLog({ path: settings['store.path'], durability: settings['store.durability'] });
}
