/**
 * What the image's HEALTHCHECK, the chart's CronJob and `helm test` run. It needs no shell and no curl.
 *
 *   node image/probe.ts health              whether the server in this container takes requests
 *   node image/probe.ts post <message>      posts type=test with that message
 *   node image/probe.ts deliver <message>   posts it, and sees it come out of a scrape once
 *
 * PROBE_URL is the server's address, by default this container's own. PROBE_TOKEN, or PROBE_USERNAME and PROBE_PASSWORD, is
 * what it is asked with. Exit codes: 0 all is well, 1 it is not, 2 wrong arguments.
 */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.ts';
import { deliver } from './deliver.ts';

/** A pod may start before the network lets it through, and before the server is ready. */
const READY_WAIT_MS = 30_000;
const READY_POLL_MS = 500;

const { env } = process;
const client = new Client({
  url: env['PROBE_URL'] ?? `http://127.0.0.1:${env['ONESHOT_SERVER_PORT'] ?? '8090'}`,
  token: env['PROBE_TOKEN'],
  username: env['PROBE_USERNAME'],
  password: env['PROBE_PASSWORD'],
});
const [command, message = ''] = process.argv.slice(2);

try {
  console.log(await run());
} catch (error) {
  console.error((error as Error).message);
  process.exitCode ??= 1;
}

async function run(): Promise<string> {
  if (command === 'health') {
    if (await client.ready()) return 'ready';
    throw new Error('not ready');
  }
  if ((command !== 'post' && command !== 'deliver') || message === '') {
    process.exitCode = 2;
    throw new Error('usage: node image/probe.ts health | post <message> | deliver <message>');
  }
  await untilReady();
  if (command === 'deliver') return deliver(client, message);
  await client.post({ type: 'test', message });
  return `posted type=test message=${message}`;
}

/** Rejects with what the last attempt met. */
async function untilReady(): Promise<void> {
  const deadline = performance.now() + READY_WAIT_MS;
  for (;;) {
    const why = await client.ready().then(
      (ready) => (ready ? undefined : 'not ready'),
      (error: unknown) => (error as Error).message,
    );
    if (why === undefined) return;
    if (performance.now() > deadline)
      throw new Error(`the server was not ready in ${READY_WAIT_MS / 1000} s: ${why}`);
    await sleep(READY_POLL_MS);
  }
}
