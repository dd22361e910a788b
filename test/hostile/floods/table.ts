import type { Row } from './row.ts';
import { missingOf, timesOf } from './verdict.ts';

const HEAD = [
  'kind',
  'flood',
  'sent',
  'answers',
  'most RSS (heap used), MiB',
  'RSS 3rd → 4th quarter, MiB',
  '`/-/healthy` p99 / worst / worst less what the machine took, ms',
  'scrapes answered, slowest',
  'legitimate events',
  'survived',
  'starts again: ready, ms (RSS, MiB)',
  'verdict',
] as const;

const MEBIBYTE = 1024 * 1024;
const whole = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : '-');

export function tableHead(): string {
  return `| ${HEAD.join(' | ')} |\n|${' --- |'.repeat(HEAD.length)}`;
}

export function tableLine(row: Row, problems: readonly string[]): string {
  const { sent, memory, health, scraper, poster, died, restarts, afterwards, firstReadyMs } = row;
  const answers = Object.entries(sent.answers).map(([status, count]) => `${count} x ${status}`);
  if (sent.broken > 0) answers.push(`${sent.broken} broken`);
  const missing = missingOf(row).length;
  const dropped = Math.max(scraper.dropped, afterwards.dropped);
  const starts = restarts.map(({ readyMs, most, why }) =>
    readyMs === undefined ? `${why || 'not ready'} (${whole(most)})` : `${readyMs} (${whole(most)})`,
  );
  const waited =
    memory.waited > 0.1 ? `; the server waited for a core ${whole(memory.waited * 100)} % of the time` : '';
  const cells = [
    String(row.kind),
    row.name,
    `${sent.requests} requests, ${(sent.bytes / MEBIBYTE).toFixed(1)} MiB`,
    answers.join(', ') || 'none',
    `${whole(memory.most)} (${whole(scraper.heapUsedMax / MEBIBYTE)})`,
    `${whole(memory.third)} → ${whole(memory.last)}`,
    `${whole(health.p99Ms)} / ${whole(health.worstMs)} / ${whole(health.worstOfServerMs)}${health.failed > 0 ? `, ${health.failed} of ${health.asked} failed` : ''}${waited}`,
    `${scraper.answered} of ${scraper.scrapes}, ${whole(scraper.slowestMs)} ms`,
    `${poster.accepted.length} of ${poster.posted} accepted (slowest ${poster.slowestMs} ms, ${poster.retries} retries), ${timesOf(row).size} came${missing > 0 ? `, ${missing} missing of ${dropped} dropped` : ''}`,
    died ?? 'yes',
    `${starts.join('; ')}; first ${firstReadyMs}; then read ${Object.keys(afterwards.times).length} legitimate events, up to ${whole(afterwards.largestBytes / 1024)} KiB a scrape, ${whole(afterwards.ownBytesMax / 1024)} of them own metrics`,
    problems.length === 0 ? 'ok' : `**FAILED**: ${problems.join('; ')}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
