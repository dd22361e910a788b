import { median } from './statistics.ts';

/** Measures each in turn, again and again, so that a machine that gets slower does so for all. Resolves to all values, by name. */
export async function interleave<Name extends string, T>(
  rounds: number,
  takes: Readonly<Record<Name, () => Promise<T>>>,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(takes) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>;
  for (let round = 0; round < rounds; round += 1) {
    // Not always in one order: what comes first after a pause has it easier.
    const order = round % 2 === 0 ? names : names.toReversed();
    for (const name of order) values[name].push(await takes[name]());
  }
  return values;
}

/** The median of the rounds' own ratios: what slows a round down slows both sides of it. */
export function ratio<T>(of: readonly T[], to: readonly T[], read: (value: T) => number): number {
  return median(of.map((value, round) => read(value) / read(to[round] as T)));
}
