import type { Row } from './scenario.ts';

const COLUMNS = [
  ['fault', 46],
  ['format', 14],
  ['prom', 5],
  ['strikes', 7],
  ['events', 7],
  ['lost', 5],
  ['twice', 5],
  ['wrong', 5],
  ['up gaps', 7],
  ['unproven', 8],
  ['doubtful', 8],
  ['late ms', 7],
] as const;

export function tableHead(): string {
  const names = COLUMNS.map(([name, width]) => cell(name, width)).join('  ');
  return `${names}\n${'-'.repeat(names.length)}`;
}

/** One line; a row with problems has them below it. */
export function tableLine(row: Row): string {
  const { fault, format, version, strikes, events, lost, twice, wrong, upGaps, unproven, doubtful, lateMs } =
    row;
  const values = [
    fault,
    format,
    version,
    strikes,
    events,
    lost,
    twice,
    wrong,
    upGaps,
    unproven,
    doubtful,
    lateMs,
  ];
  const line = COLUMNS.map(([, width], i) => cell(values[i] ?? '', width)).join('  ');
  return [line, ...row.problems.map((problem) => `    WRONG: ${problem}`)].join('\n');
}

function cell(value: string | number, width: number): string {
  return typeof value === 'number' ? String(value).padStart(width) : value.padEnd(width);
}
