/** One figure against its bar. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** How the value is to be read: a ratio to a floor (`of (a)`), ms, MB. */
  readonly unit: string;
  readonly bar: { readonly atLeast: number } | { readonly atMost: number };
}

/** One row of the table: what is measured, and its figures. */
export interface Measure {
  readonly name: string;
  run(): Promise<Outcome>;
}

export interface Outcome {
  readonly figures: readonly Figure[];
  /** What stands behind the ratios, for people: rates, sizes. */
  readonly notes: string;
}

export function isMet({ value, bar }: Figure): boolean {
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost;
}

/** A figure that must be at least so large. */
export function atLeast(least: number, value: number, unit: string, name = ''): Figure {
  return { name, value, unit, bar: { atLeast: least } };
}

/** A figure that must be at most so large. */
export function atMost(most: number, value: number, unit: string, name = ''): Figure {
  return { name, value, unit, bar: { atMost: most } };
}
