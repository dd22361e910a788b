import type { StoreWorth } from '../log.ts';
import type { Connection } from './connection.ts';

/** Asks what a commit survives by the database's settings. A database that has no such settings replicates in its own way. */
export async function readWorth(connection: Connection): Promise<StoreWorth> {
  const [[fsync, commit, standbys] = []] = await connection.script(
    `SELECT current_setting('fsync', true), current_setting('synchronous_commit', true), current_setting('synchronous_standby_names', true)`,
  );
  if (fsync === 'off') return { survives: 'process', why: 'fsync is off' };
  if (commit === 'off') return { survives: 'process', why: 'synchronous_commit is off' };
  if (commit === 'local') return { survives: 'power', why: 'synchronous_commit is local' };
  if (standbys === '') return { survives: 'power', why: 'it has no synchronous standby' };
  return { survives: 'machine', why: '' };
}
