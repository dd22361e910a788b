import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, ServerProcess } from '../support/server.ts';
import { HOW_TO_GET_A_TERMINAL, Terminal, hasTerminal } from '../support/terminal.ts';

const canRun = hasTerminal();
/** A busy machine needs its time for npm and two Nodes. */
const READY = { timeout: 60_000, interval: 50 };
/** How a shell tells of a command that a Ctrl-C ended: 128 and SIGINT. */
const KEY_PRESSED = 130;

/** Takes what is posted, and answers after a while. */
async function slowServer(answerMs: number) {
  const posted: string[] = [];
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    incoming.on('end', () => {
      setTimeout(() => {
        // Who hung up in the meantime has taken its event back.
        if (incoming.socket.destroyed) return;
        posted.push(body);
        response.setHeader('content-type', 'application/json').end('{"accepted":1}');
      }, answerMs);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  };
  return { url, posted, [Symbol.asyncDispose]: close };
}

async function scrapersAt(port: number): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/scrapers`);
  return ((await answer.json()) as { scrapers: unknown }).scrapers;
}

const portIn = (output: string): number => Number(/listens {2}http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1]);

describe.skipIf(!canRun)(`Ctrl-C in a terminal (needs script: ${HOW_TO_GET_A_TERMINAL})`, () => {
  it('stops npm start well, and a reset in that moment still says that a response was not read (G2, G4)', async () => {
    using folder = temporaryFolder();
    const store = `--store.path=${folder.path}`;
    {
      await using terminal = new Terminal(`npm start -- --server.host=127.0.0.1 --server.port=0 ${store}`);
      await expect.poll(() => portIn(terminal.output), READY).toBeGreaterThan(0);
      const port = portIn(terminal.output);
      await fetch(`http://127.0.0.1:${port}/event?type=deploy`, { method: 'POST' });
      const scraper = connect({ host: '127.0.0.1', port, noDelay: true }).pause();
      await once(scraper, 'connect');
      scraper.write('GET /metrics?scraper=p HTTP/1.1\r\nHost: a\r\n\r\n');
      await expect.poll(() => scrapersAt(port), READY).toMatchObject([{ id: 'p', inFlight: 1 }]);
      await terminal.ctrlC();
      await expect.poll(() => terminal.output, READY).toContain('"msg":"stopping"');
      scraper.resetAndDestroy();
      // npm sends each signal on; one that comes when the server is already leaving, or when it has left, ends the process in the usual way.
      expect([0, KEY_PRESSED]).toContain(await terminal.exited);
      expect(terminal.output).toContain('"msg":"stopped"');
    }
    const again = await ServerProcess.start([store]);
    const scrapers = await scrapersAt(again.port);
    expect(await again.end('SIGTERM')).toBe(0);
    expect(scrapers).toMatchObject([{ id: 'p', pending: 1, returned: 1 }]);
  });

  it('ends the command of npm start -- run, and its event is sent all the same', async () => {
    // Slow, so that the signal of npm comes while the event is on its way.
    await using server = await slowServer(700);
    await using terminal = new Terminal(
      "npm start -- run --no-spool --name job -- sh -c 'echo begun-$((1+1)); exec sleep 60'",
      { ONESHOT_URL: server.url },
    );
    await expect.poll(() => terminal.output, READY).toContain('begun-2');
    await terminal.ctrlC();
    expect(await terminal.exited).toBe(KEY_PRESSED);
    expect(terminal.output).not.toContain('lost');
    expect(server.posted).toHaveLength(1);
    expect(Object.fromEntries(new URLSearchParams(server.posted[0]))).toMatchObject({
      name: 'job',
      signal: 'SIGINT',
      status: 'failure',
    });
  });
});
