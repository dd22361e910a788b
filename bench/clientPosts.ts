/** Sends events by our own client, one after the other, for some seconds. Prints how many a second. */
import { OneShotClient } from '../src/client/client.ts';

const [url, seconds, token] = process.argv.slice(2);
if (url === undefined) throw new Error('needs an address, and seconds');
const client = new OneShotClient({ url, token });
const began = performance.now();
const until = began + Number(seconds) * 1000;
let count = 0;
while (performance.now() < until) {
  await client.push({ labels: { type: 'deploy', service: 'api', version: '1.2.3' } });
  count += 1;
}
console.log((count / (performance.now() - began)) * 1000);
