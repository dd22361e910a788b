/**
 * SQLite as Node has it. Asked for when a file is opened, and not by an import: `oneshot config check` builds a server without starting it, on
 * a Node that may be too old for SQLite.
 */
export function nodeSqlite() {
  return process.getBuiltinModule('node:sqlite');
}
