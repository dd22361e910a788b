/** Compresses a file so many times as the server would, and tells the processor time that it took for each, in ms. */
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const [file, times, level] = process.argv.slice(2);
if (file === undefined) throw new Error('needs a file, how often, and the level');
const body = readFileSync(file);
const compress = promisify(gzip);
const before = process.cpuUsage();
for (let i = 0; i < Number(times); i += 1) await compress(body, { level: Number(level) });
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1000 / Number(times));
