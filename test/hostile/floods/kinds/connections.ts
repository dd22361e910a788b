import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from '../connection.ts';
import type { Flood, Victim } from '../flood.ts';
import { headOf } from '../posts.ts';

const CONNECTIONS_MAX = 2_000;
/** More than there are places for. */
const WANTED = CONNECTIONS_MAX + 200;
const AT_ONCE = 50;
const AGAIN_MS = 100;
const PEMS = join(import.meta.dirname, '../../../golden/webConfig');
const pem = (name: string): string => readFileSync(join(PEMS, name), 'utf8');

/**
 * Nobody is believed who names another address, for floods come from loopback, and whoever is trusted as a proxy may have more
 * connections than others.
 */
const FLAGS = [`--server.connectionsMax=${CONNECTIONS_MAX}`, '--server.trustedProxies='];

/** Opens as many connections as there are, sends the same on each, and keeps them; takes each place that gets free. */
function hold(first: (at: number) => Buffer | string) {
  return async (victim: Victim): Promise<void> => {
    const { tally, deadline } = victim;
    const held = new Set<Socket>();
    let opened = 0;
    const client = async (): Promise<void> => {
      while (performance.now() < deadline) {
        if (held.size >= WANTED) {
          await sleep(AGAIN_MS);
          continue;
        }
        const socket = await open(victim);
        if (socket === undefined) {
          await sleep(AGAIN_MS);
          continue;
        }
        held.add(socket);
        socket.on('data', (answer: Buffer) => {
          if (answer.toString('latin1', 0, 5) === 'HTTP/')
            tally.answered(Number(answer.toString('latin1', 9, 12)));
        });
        socket.once('close', () => {
          held.delete(socket);
          tally.broken += 1;
        });
        const sent = first((opened += 1));
        tally.sent(sent.length);
        socket.write(sent);
        // One that is closed at once is tried again, but not a thousand times in a second.
        await sleep(1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    for (const socket of held) socket.removeAllListeners('close').destroy();
  };
}

/** A TLS record of a ClientHello that ends after its head. */
const HALF_HELLO = Buffer.from('16030100c8010000c40303', 'hex');

/** Kind 8: places for connections. */
export const CONNECTIONS: readonly Flood[] = [
  {
    kind: 8,
    name: 'connections with one post each, then idle',
    isUsual: true,
    setting: { flags: FLAGS },
    send: hold((at) => headOf('POST', `/event?held=${at}`, { 'Content-Length': 0 })),
  },
  { kind: 8, name: 'connections without a byte', setting: { flags: FLAGS }, send: hold(() => '') },
  {
    kind: 8,
    name: 'connections with half a head',
    setting: { flags: FLAGS },
    send: hold((at) => `POST /event?held=${at} HTTP/1.1\r\nHost: x\r\nX-Slow: `),
  },
  {
    kind: 8,
    name: 'connections that peek and stay',
    setting: { flags: FLAGS },
    send: hold(() => headOf('GET', '/metrics?peek=true')),
  },
  {
    kind: 8,
    name: 'TLS handshakes that never finish',
    isUsual: true,
    setting: {
      flags: [...FLAGS, '--web.config.file=$FOLDER/web.yml'],
      files: {
        'web.yml': 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n',
        'server.pem': pem('server.pem'),
        'server.key': pem('server.key'),
      },
    },
    send: hold(() => HALF_HELLO),
  },
];
