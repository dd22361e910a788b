/** Names beyond this length are no typing mistakes; comparing them would only cost time. */
const NAME_CHARACTERS_MAX = 100;

/**
 * The known name that is nearest to one that was mistyped: at most a third of the characters differ, case not counted. `nearer` says
 * of a name, in lower case, that it is as near as can be in some other way. Undefined where none is near.
 */
export function nearest(
  unknown: string,
  known: Iterable<string>,
  nearer: (typed: string, candidate: string) => boolean = () => false,
): string | undefined {
  if (unknown.length > NAME_CHARACTERS_MAX) return undefined;
  const typed = unknown.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.floor(typed.length / 3) + 1;
  for (const name of known) {
    const candidate = name.toLowerCase();
    const distance = nearer(typed, candidate) ? 0 : editDistance(typed, candidate);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/**
 * How many characters must be inserted, removed, replaced, or swapped with their neighbour, to make `a` of `b`, one row of the matrix at
 * a time. Source: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance#Optimal_string_alignment_distance
 */
function editDistance(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, (twoAbove[j - 2] ?? 0) + 1);
      row.push(least);
    }
    twoAbove = above;
    above = row;
  }
  return above[b.length] ?? 0;
}
