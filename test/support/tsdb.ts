import type { RawSeries } from './remoteRead.ts';
import { remoteRead } from './remoteRead.ts';

/** The bits of the NaN that ends a series: https://github.com/prometheus/prometheus/blob/main/model/value/value.go */
export const STALE_BITS = 0x7ff0_0000_0000_0002n;

/** At a time in Unix ms. */
export interface StoredSample {
  readonly at: number;
  readonly value: number;
}

/** A series of events in the TSDB: its samples, and where it was marked as ended. */
export interface StoredSeries {
  readonly labels: RawSeries['labels'];
  readonly samples: readonly StoredSample[];
  readonly endsAt: readonly number[];
}

/** Every series of one metric, sample by sample, markers apart. Times are in Unix ms. */
export async function storedSeries(
  url: string,
  metric: string,
  start: number,
  end: number,
): Promise<readonly StoredSeries[]> {
  const series = await remoteRead(url, metric, start, end);
  return series.map(({ labels, samples }) => ({
    labels,
    samples: samples.filter(({ bits }) => bits !== STALE_BITS),
    endsAt: samples.filter(({ bits }) => bits === STALE_BITS).map(({ at }) => at),
  }));
}

/** How many scrapes of a job failed or never were, by its `up`: those with 0, and those missing between two at an interval in ms. */
export function upGaps(up: readonly StoredSeries[], job: string, intervalMs: number): number {
  const samples = up
    .filter(({ labels }) => labels['job'] === job)
    .flatMap((each) => each.samples)
    .toSorted((a, b) => a.at - b.at);
  let gaps = 0;
  let before: StoredSample | undefined;
  for (const sample of samples) {
    if (sample.value === 0) gaps += 1;
    if (before !== undefined) gaps += Math.max(0, Math.round((sample.at - before.at) / intervalMs) - 1);
    before = sample;
  }
  return gaps;
}
