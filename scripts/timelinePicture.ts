/**
 * Draws docs/operate/events.svg: what the dashboard's timeline shows, from the query API of a real Prometheus that scraped a real server.
 * It takes a minute and a half, and is run by hand: `node scripts/timelinePicture.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOW_TO_GET_PROMETHEUS, Prometheus, requirePrometheus } from '../test/support/prometheus.ts';
import type { Series } from '../test/support/prometheus.ts';
import { startServer } from '../test/support/server.ts';

const PICTURE = join(import.meta.dirname, '../docs/operate/events.svg');
const SCRAPES_MS = 8_000;
const STEP_MS = 1_000;
const PULSE_MS = 5_000;
/** When what happens, in seconds from the beginning. */
const STORY: readonly (readonly [second: number, type: string])[] = [
  [3, 'deploy'],
  [10, 'restart'],
  [22, 'deploy'],
  [24, 'config'],
  [41, 'restart'],
  [44, 'restart'],
  [58, 'deploy'],
];
const LENGTH_S = 70;
const WIDTH = 720;
const ROW = 34;
const LEFT = 80;
const TOP = 40;
const COLOURS: Readonly<Record<string, string>> = {
  deploy: '#3066be',
  restart: '#b4436c',
  config: '#5f8a3c',
};

const binary = requirePrometheus('3.5');
if (binary === undefined) throw new Error(HOW_TO_GET_PROMETHEUS);
await using server = await startServer({ 'pulse.width': PULSE_MS });
await using prometheus = new Prometheus({
  binary,
  scrapeConfigs: [
    {
      job_name: 'events',
      targets: [`127.0.0.1:${server.port}`],
      params: { scraper: ['p'], timestamps: ['explicit'] },
      scrape_protocols: ['PrometheusProto', 'PrometheusText0.0.4'],
    },
  ],
});
await prometheus.start();
await sleep(SCRAPES_MS);
const began = Date.now();
for (const [second, type] of STORY) {
  await sleep(Math.max(0, began + second * 1000 - Date.now()));
  await fetch(`${server.url}/event?type=${type}`, { method: 'POST' });
}
await sleep(Math.max(0, began + LENGTH_S * 1000 - Date.now()));
const visible = await prometheus.queryRange(
  'max by (type) (events_to_metrics)',
  began,
  began + LENGTH_S * 1000,
  STEP_MS,
);
writeFileSync(PICTURE, draw(visible));
process.exitCode = visible.length === Object.keys(COLOURS).length ? 0 : 1;

/** A row for each type, with a bar for each second in which an instant query finds an event of it. */
function draw(series: readonly Series[]): string {
  const rows = series.toSorted((a, b) => (a.metric['type'] ?? '').localeCompare(b.metric['type'] ?? ''));
  const height = TOP + rows.length * ROW + 40;
  const place = (ms: number) => LEFT + ((ms - began) / (LENGTH_S * 1000)) * (WIDTH - LEFT - 20);
  const bar = place(began + STEP_MS) - place(began);
  const parts = [
    `<text x="${LEFT}" y="22" font-weight="bold">max by (type) (events_to_metrics), pulses of ${PULSE_MS / 1000} s, scraped in protobuf</text>`,
  ];
  for (const [i, { metric, samples }] of rows.entries()) {
    const type = metric['type'] ?? '';
    const y = TOP + i * ROW;
    parts.push(`<text x="${LEFT - 10}" y="${y + 17}" text-anchor="end">${type}</text>`);
    for (const { at } of samples)
      parts.push(
        `<rect x="${place(at).toFixed(1)}" y="${y + 4}" width="${bar.toFixed(1)}" height="18" fill="${COLOURS[type] ?? '#888888'}"/>`,
      );
  }
  for (let second = 0; second <= LENGTH_S; second += 10)
    parts.push(
      `<text x="${place(began + second * 1000).toFixed(1)}" y="${height - 12}" text-anchor="middle">${second} s</text>`,
    );
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`;
  return [head, '<rect width="100%" height="100%" fill="#ffffff"/>', ...parts, '</svg>', ''].join('\n');
}
