import type { Figure, Outcome } from './measure.ts';
import { isMet } from './measure.ts';

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
