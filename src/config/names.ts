import { nearest } from '../core/nearest.ts';
import type { Table } from './setting.ts';

export const ENV_PREFIX = 'ONESHOT_';

/** The environment's name for a key: `server.trustedProxies` is `ONESHOT_SERVER_TRUSTED_PROXIES`. */
export function envName(key: string): string {
  return (
    ENV_PREFIX +
    key
      .replaceAll('.', '_')
      .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
      .toUpperCase()
  );
}

/** The group that a key belongs to: its first segment, which may be all of it. */
export function groupOf(key: string): string {
  return key.split('.', 1)[0] ?? key;
}

/** The table's groups with their keys, in the order of the table. */
export function groupsOf(table: Table): readonly (readonly [group: string, keys: readonly string[]])[] {
  // Not Map.groupBy, which Node 20 does not have: help is printed there, too.
  const groups = new Map<string, string[]>();
  for (const key of Object.keys(table)) groups.set(groupOf(key), [...(groups.get(groupOf(key)) ?? []), key]);
  return [...groups];
}

/**
 * " (did you mean …?)" for an unknown name that is near a known one, else nothing; `prefix` is put before the suggested name.
 * The last segment of a known name (`port`) is as near as can be.
 */
export function suggestion(unknown: string, known: Iterable<string>, prefix = ''): string {
  const best = nearest(unknown, known, isEndOf);
  return best === undefined ? '' : ` (did you mean ${prefix}${best}?)`;
}

function isEndOf(typed: string, candidate: string): boolean {
  return typed !== '' && (candidate.endsWith(`.${typed}`) || candidate.endsWith(`_${typed}`));
}
