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

const DIGITS = { ratio: 2, plain: 0 };

/** A row in Markdown for each figure of a measure, its notes behind the first. */
export function rowsOf(name: string, { figures, notes }: Outcome): string[] {
  return figures.map((figure, i) => {
    const verdict = isMet(figure) ? 'met' : '**missed**';
    const what = figure.name === '' ? name : `${name}: ${figure.name}`;
    return `| ${what} | ${barOf(figure)} | ${shown(figure)} | ${verdict} | ${i === 0 ? notes : ''} |`;
  });
}

export const HEAD = ['| measure | bar | figure | verdict | behind it |', '| --- | --- | --- | --- | --- |'];

function barOf({ bar, unit }: Figure): string {
  return 'atLeast' in bar ? `at least ${bar.atLeast} ${unit}` : `at most ${bar.atMost} ${unit}`;
}

function shown({ value, unit }: Figure): string {
  const digits = /of|times|ms/.test(unit) && value < 100 ? DIGITS.ratio : DIGITS.plain;
  return value.toFixed(digits);
}
