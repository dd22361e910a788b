import type { Row } from './row.ts';

export interface Bars {
  /** Resident memory in MiB; undefined for no bar. */
  readonly rssMebibytes: number | undefined;
}

/** The worst answer of `/-/healthy`, in ms. */
const HEALTHY_MS = 1_000;
/** From the start of a process to ready. */
const READY_MS = 30_000;
/** As much more, for an entry of 4 KiB that has yet to be counted: at its first start all of a log is read. */
const COUNTED_MS = 0.2;
/** The server's own metrics in a scrape: some 8 kB where nobody floods. */
const OWN_BYTES = 1024 * 1024;
/** Memory still rises if the last quarter of a flood has so much more than the third, and so many MiB. */
const RISE_SHARE = 0.25;
const RISE_MEBIBYTES = 64;

/** The times of the legitimate events of a row that came, before and after the server's end, by number. */
export function timesOf({ scraper, afterwards }: Row): ReadonlyMap<number, ReadonlySet<number>> {
  const times = new Map<number, Set<number>>();
  for (const seen of [scraper, afterwards])
    for (const [n, those] of Object.entries(seen.times))
      times.set(Number(n), new Set([...(times.get(Number(n)) ?? []), ...those]));
  return times;
}

/** Accepted events that never came. */
export function missingOf(row: Row): readonly number[] {
  const times = timesOf(row);
  return row.poster.accepted.filter((n) => !times.has(n));
}

/** What is wrong with a row; nothing if it is well. */
export function problemsOf(row: Row, { rssMebibytes }: Bars): readonly string[] {
  const { memory, health, scraper, poster, died, restarts, afterwards, firstReadyMs, uncounted } = row;
  const problems: string[] = [];
  const say = (isSo: boolean, what: string): void => void (isSo && problems.push(what));
  say(row.sent.requests === 0, 'the flood sent nothing; give it more --seconds');
  say(firstReadyMs > READY_MS + uncounted * COUNTED_MS, `ready only after ${firstReadyMs} ms`);
  say(died !== undefined, `the server ${died ?? ''}`);
  say(
    rssMebibytes !== undefined && memory.most > rssMebibytes,
    `${Math.round(memory.most)} MiB resident, more than ${rssMebibytes ?? 0}`,
  );
  say(
    memory.last > memory.third * (1 + RISE_SHARE) && memory.last - memory.third > RISE_MEBIBYTES,
    `no plateau: ${Math.round(memory.third)} MiB in the third quarter, ${Math.round(memory.last)} in the last`,
  );
  if (died === undefined) {
    say(!(health.worstOfServerMs < HEALTHY_MS), `/-/healthy took ${health.worstOfServerMs} ms of the server`);
    say(health.failed > 0, `${health.failed} of ${health.asked} health checks failed`);
    const failures = Object.entries(scraper.failures).map(([why, count]) => `${count} x ${why}`);
    say(failures.length > 0, `scrapes failed: ${failures.join(', ')}`);
  }
  say(poster.refusedWith.length > 0, `legitimate posts were refused with ${poster.refusedWith.join(', ')}`);
  const open = poster.posted - poster.accepted.length - poster.refusedWith.length;
  say(open > 0, `${open} of ${poster.posted} legitimate posts were never accepted`);
  const starts = restarts.filter(({ readyMs }) => readyMs === undefined);
  say(
    starts.length > 0,
    `${starts.length} of ${restarts.length} restarts failed: ${starts[0]?.why || 'not ready'}`,
  );
  const slow = restarts.map(({ readyMs }) => readyMs ?? 0).filter((ms) => ms > READY_MS);
  say(slow.length > 0, `a restart took ${Math.max(...slow)} ms`);
  const fat = Math.max(...restarts.map(({ most }) => most));
  say(rssMebibytes !== undefined && fat > rssMebibytes, `a restart took ${Math.round(fat)} MiB`);
  const own = Math.max(scraper.ownBytesMax, afterwards.ownBytesMax);
  say(own > OWN_BYTES, `each scrape carries ${own} bytes of the server's own metrics`);
  const missing = missingOf(row);
  const dropped = Math.max(scraper.dropped, afterwards.dropped);
  say(
    missing.length > 0 && dropped === 0,
    `${missing.length} accepted events never came, and no drop was counted`,
  );
  const twice = [...timesOf(row)].filter(([, times]) => times.size > 1);
  say(twice.length > 0, `${twice.length} events came at several times`);
  const uninvited = [...timesOf(row).keys()].filter((n) => n >= poster.posted);
  say(uninvited.length > 0, `${uninvited.length} events came that nobody posted`);
  return problems;
}
