import { headOf, labelPlaces, type SeriesText } from '../core/series.ts';

/**
 * Makes what adds labels with empty values to series, as they are shown: each label of these names that a series doesn't have itself. To
 * Prometheus a label with an empty value is none, but with `honor_labels: true` it keeps the target's label of that name off the sample.
 * So the sample is of the same series whatever target it came from.
 *
 * They stand before the other labels: no reader asks for an order. Which series comes out depends on nothing but the series and the names.
 */
export function emptyLabels(names: readonly string[]): (series: SeriesText) => SeriesText {
  if (names.length === 0) return (series) => series;
  const beginnings = names.map((name) => `${name}="`);
  const all = names.map((name) => `${name}=""`).join(',');
  return (series) => {
    const head = headOf(series);
    const labels = head.length + 1;
    // Behind the head stands nothing, `{` or `,` before the first label, or the `}` behind a quoted name alone.
    const isAlone = labels >= series.length;
    const missing = isAlone ? all : missingOf(series, labels, beginnings, all);
    if (missing === '') return series;
    const opening = head.startsWith('{') ? ',' : '{';
    const rest = isAlone ? '}' : `,${series.slice(labels)}`;
    return `${head}${opening}${missing}${rest}` as SeriesText;
  };
}

function missingOf(series: SeriesText, labels: number, beginnings: readonly string[], all: string): string {
  const places = labelPlaces(series, labels, beginnings);
  if (places.every((place) => place === -1)) return all;
  return beginnings
    .filter((_, index) => places[index] === -1)
    .map((beginning) => `${beginning}"`)
    .join(',');
}
