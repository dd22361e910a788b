import { expect, it } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { curlLines, hasCurl, runShown } from '../support/docsPage.ts';
import { withoutArrivals } from '../support/eventIds.ts';
import { startServer } from '../support/server.ts';

/** Pages whose lines stand each for itself: what it is answered stands below it. */
const PAGES: readonly (readonly [page: string, settings: Partial<Settings>])[] = [
  ['docs/ingest/formats.md', { 'cloudevents.data': ['env=/env', 'value=/seconds'] }],
  ['docs/ingest/ids.md', {}],
];

it.for(PAGES)(
  'each line of %s works as it stands, with the answer that it promises',
  async ([page, settings], { skip }) => {
    if (!hasCurl()) throw skip('needs curl; on Debian: apt-get install curl');
    await using server = await startServer(settings);
    const lines = curlLines(page);
    expect(lines.length).toBeGreaterThan(5);
    for (const { command, answer } of lines) {
      expect(answer, `${command} says nothing of its answer`).toBeDefined();
      // An event id depends on when its event arrived.
      expect(withoutArrivals(await runShown(command, server.port)), command).toBe(
        withoutArrivals(answer ?? ''),
      );
    }
    const body = await (await fetch(`${server.url}/metrics`)).text();
    const stored = lines.reduce(
      // A CloudEvent is answered without a body.
      (sum, { answer }) =>
        sum + (answer === '204' ? 1 : Number(/"accepted":(\d+)/.exec(answer ?? '')?.[1] ?? 0)),
      0,
    );
    expect(body).toContain(`events_to_metrics_event_count ${stored}\n`);
  },
);
