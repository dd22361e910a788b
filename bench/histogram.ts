/** Upper bounds of the buckets, in ms; what is above them all is in one more. */
export const BOUNDS_MS: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16, 32];

/** How many answers fell into each bucket; empty where the load's program does not tell. */
export type Buckets = readonly number[];

/** The buckets of several takes together. */
export function together(takes: readonly Buckets[]): Buckets {
  return [...BOUNDS_MS, Infinity].map((_, i) => takes.reduce((sum, buckets) => sum + (buckets[i] ?? 0), 0));
}

/** A histogram in Markdown: a row for each bucket, a column for each server, in percent of its answers. Empty where nobody told. */
export function histogramRows(title: string, servers: Readonly<Record<string, Buckets>>): string[] {
  const columns = Object.entries(servers).map(([name, buckets]) => {
    const all = buckets.reduce((sum, count) => sum + count, 0);
    return { name, shares: buckets.map((count) => (count / all) * 100), all };
  });
  if (columns.some(({ all }) => all === 0)) return [];
  const rows = [...BOUNDS_MS, Infinity].map((bound, i) => {
    const range = bound === Infinity ? `above ${BOUNDS_MS.at(-1)} ms` : `to ${bound} ms`;
    return `| ${range} | ${columns.map(({ shares }) => `${(shares[i] ?? 0).toFixed(2)} %`).join(' | ')} |`;
  });
  const head = `| ${title} | ${columns.map(({ name }) => name).join(' | ')} |`;
  return [head, `| --- |${' ---: |'.repeat(columns.length)}`, ...rows];
}
