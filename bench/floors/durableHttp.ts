/** Floor (d), the plainest durable server: (a), with all who wait committed and synced together by (c), and nothing else. */
import type { ServerResponse } from 'node:http';
import { listen } from './listen.ts';
import { bodyOf, parametersOf } from './readings.ts';
import type { Row } from './rows.ts';
import { Rows } from './rows.ts';

const ACCEPTED = Buffer.from('{"accepted":1}');
const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': ACCEPTED.length };

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('needs a file');
const rows = new Rows(file);
let waiting: { row: Row; answer: () => void }[] = [];

function commit(): void {
  const group = waiting;
  waiting = [];
  rows.append(group.map(({ row }) => row));
  for (const { answer } of group) answer();
}

listen((request, response) => {
  if (Number(request.headers['content-length'] ?? 0) === 0) append(parametersOf(request), response);
  else void bodyOf(request).then((form) => append([...new URLSearchParams(form.toString())], response));
});

function append(parameters: ReturnType<typeof parametersOf>, response: ServerResponse): void {
  const labels = parameters.map(([name, value]) => `${name}="${value}"`);
  const row: Row = [`events_to_metrics{${labels.join(',')}}`, 1, Date.now()];
  if (waiting.length === 0) setImmediate(commit);
  waiting.push({ row, answer: () => void response.writeHead(200, HEADERS).end(ACCEPTED) });
}
