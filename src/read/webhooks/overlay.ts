import type { MappingSource } from './language.ts';

/** What the settings may change of a preset's mapping. Its values are not checked yet. */
export interface Overlay {
  /** The only kinds to keep. */
  readonly only: readonly string[] | undefined;
  /** Labels to add to all kinds, or to put in place of theirs. */
  readonly labels: Readonly<Record<string, unknown>>;
  readonly drop: unknown;
  readonly metric: unknown;
}

/** A preset's mapping with what the settings say, still to be compiled. */
export function overlay(mapping: MappingSource, { only, labels, drop, metric }: Overlay): object {
  const { kinds, ...common } = mapping;
  const kept = Object.entries(kinds ?? {})
    .filter(([name]) => only?.includes(name) !== false)
    .map(([name, shape]) => [name, { ...shape, labels: { ...shape.labels, ...labels } }] as const);
  return {
    ...common,
    labels: { ...common.labels, ...labels },
    ...(kinds !== undefined && { kinds: Object.fromEntries(kept) }),
    ...(drop !== undefined && { drop }),
    ...(metric !== undefined && { metric }),
  };
}
