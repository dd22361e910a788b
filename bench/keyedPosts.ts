/**
 * Posts the same request from so many connections, each again once it is answered, for some seconds; `{key}` in it is a new one each time.
 * Prints how many were answered. A raw socket each, so that the load takes little beside the server.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [port, connections, seconds, text] = process.argv.slice(2);
if (text === undefined) throw new Error('needs a port, connections, seconds and a request');
const [before = '', after = ''] = text.split('{key}');
const hasKey = text.includes('{key}');
const run = `${Date.now().toString(36)}-${process.pid}`;
let sent = 0;
let answered = 0;
let isOver = false;

async function load(): Promise<void> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const send = (): void => {
    sent += 1;
    socket.write(hasKey ? `${before}${run}-${sent}${after}` : (text ?? ''), 'latin1');
  };
  socket.on('data', (chunk: Buffer) => {
    // Answers are short, and come whole.
    if (chunk.toString('latin1', 0, 12) !== 'HTTP/1.1 200') throw new Error(chunk.toString('latin1'));
    answered += 1;
    if (isOver) socket.destroy();
    else send();
  });
  send();
  await once(socket, 'close');
}

setTimeout(() => (isOver = true), Number(seconds) * 1000);
await Promise.all(Array.from({ length: Number(connections) }, load));
console.log(answered);
