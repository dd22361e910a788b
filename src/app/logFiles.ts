import { isSnapshot } from '../counting/counters.ts';
import type { FolderReport } from '../log/sqlite/checkFolder.ts';
import { checkFolder } from '../log/sqlite/checkFolder.ts';

/** What may be asked of a log's files while no server has them open. Throws a LogOpenError where that can't be done. */
export const logFiles = {
  check: (folder: string): FolderReport => checkFolder(folder, isSnapshot),
};
