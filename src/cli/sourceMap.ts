/**
 * A source map, as far as it is read here. `mappings` has a part for each line of the made code, with a segment for each place in it whose origin is known: up to
 * five numbers, all but the first relative to those of the segment before, in Base 64 with six bits a digit, of which the first says whether more follow.
 * Source: https://tc39.es/ecma426/
 */
export interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** A place in made code. Both count from 1, as in stacks. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const DIGIT_OF = new Map(DIGITS.split('').map((digit, value) => [digit.charCodeAt(0), value]));
const MORE = 0b100000;
const BITS = 5;

/** Where places come from, as `file:line:column`; undefined where that isn't known. Reads the map once, and keeps nothing of it. */
export function originsOf(
  { sources, mappings }: SourceMap,
  places: readonly Place[],
): readonly (string | undefined)[] {
  const origins: (string | undefined)[] = places.map(() => undefined);
  const waiting = places
    .map((place, index) => ({ ...place, index }))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
  let [source, sourceLine, sourceColumn] = [0, 0, 0];
  let next = 0;
  for (const [at, part] of mappings.split(';').entries()) {
    let column = 0;
    let origin: string | undefined;
    // What is known of a place is known of all up to the next one in its line.
    const settle = (before: number) => {
      for (
        let place = waiting[next];
        place?.line === at + 1 && place.column - 1 < before;
        place = waiting[next]
      ) {
        origins[place.index] = origin;
        next += 1;
      }
    };
    for (const segment of part === '' ? [] : part.split(',')) {
      const [columns = 0, ...moves] = numbersOf(segment);
      column += columns;
      settle(column);
      if (moves.length > 0) {
        const [inSources = 0, inLines = 0, inColumns = 0] = moves;
        source += inSources;
        sourceLine += inLines;
        sourceColumn += inColumns;
      }
      if (waiting[next]?.line === at + 1)
        origin = moves.length === 0 ? undefined : `${sources[source]}:${sourceLine + 1}:${sourceColumn + 1}`;
    }
    settle(Infinity);
    if (next === waiting.length) break;
  }
  return origins;
}

/** The numbers of a segment. The lowest bit of each is its sign. */
function numbersOf(segment: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (let at = 0; at < segment.length; at += 1) {
    const digit = DIGIT_OF.get(segment.charCodeAt(at)) ?? 0;
    value += (digit & ~MORE) << shift;
    shift += BITS;
    if ((digit & MORE) !== 0) continue;
    numbers.push((value & 1) === 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
