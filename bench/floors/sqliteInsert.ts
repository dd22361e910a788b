/** Floor (c) by itself: inserts batches of rows for some seconds, and tells how many rows a second there were. */
import { Rows } from './rows.ts';

const [file, batch, seconds] = process.argv.slice(2);
if (file === undefined) throw new Error('needs a file, the rows of a batch, and seconds');
const rows = new Rows(file);
const batchRows = Number(batch);
const began = performance.now();
const until = began + Number(seconds) * 1000;
let count = 0;
while (performance.now() < until) {
  rows.append(
    Array.from({ length: batchRows }, (_, i) => [
      `events_to_metrics{service="api",type="deploy",n="${count + i}"}`,
      1,
      Date.now(),
    ]),
  );
  count += batchRows;
}
console.log((count / (performance.now() - began)) * 1000);
