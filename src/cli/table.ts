import type { Paint } from './style.ts';

/** Numbers stand on the right. */
export type Cell = string | number;

/** A table in columns, two blanks apart, its head in bold. Every line ends in a newline, and none in a blank. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => String(row[i] ?? '').length)),
  );
  const isNumber = head.map((_title, i) => rows.every((row) => typeof row[i] === 'number'));
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, i) =>
        isNumber[i] === true ? String(cell).padStart(widths[i] ?? 0) : String(cell).padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [paint('bold', line(head)), ...rows.map(line)].map((text) => `${text}\n`).join('');
}
