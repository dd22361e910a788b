import process from 'node:process';
import { SqliteLog } from '../../../src/log/sqlite/sqliteLog.ts';
import { aScraper } from './builders.ts';

/** A process that saves a scraper and a note in the log of the given folder, and is killed before anything is waited for. */
const log = new SqliteLog({ path: process.argv[2] as string, durability: 'power' });
await log.start();
void log.saveScraper(aScraper());
void log.saveNote('a', 'text');
process.kill(process.pid, 'SIGKILL');
