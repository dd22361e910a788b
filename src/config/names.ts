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
  return [...Map.groupBy(Object.keys(table), groupOf)];
}

/** Names beyond this length are no typing mistakes; comparing them would only cost time. */
const NAME_CHARACTERS_MAX = 100;

/**
 * " (did you mean …?)" for an unknown name that is near a known one, else nothing; `prefix` is put before the suggested name.
 * Near is: the last segment of a known name (`port`), or at most a third of the characters mistyped. Case doesn't count.
 */
export function suggestion(unknown: string, known: Iterable<string>, prefix = ''): string {
  if (unknown.length > NAME_CHARACTERS_MAX) return '';
  const typed = unknown.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.floor(typed.length / 3) + 1;
  for (const name of known) {
    const candidate = name.toLowerCase();
    const isEnd = typed !== '' && (candidate.endsWith(`.${typed}`) || candidate.endsWith(`_${typed}`));
    const distance = isEnd ? 0 : editDistance(typed, candidate);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best === undefined ? '' : ` (did you mean ${prefix}${best}?)`;
}

/** How many characters must be inserted, removed or replaced to make `a` of `b` (Levenshtein), one row of the matrix at a time. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
