/** Floor (b): bare `node:http` that sends one prepared Buffer, read from a file, for every request. */
import { readFileSync } from 'node:fs';
import { listen } from './listen.ts';

const [file, contentType] = process.argv.slice(2);
if (file === undefined || contentType === undefined) throw new Error('needs a file and its media type');
const body = readFileSync(file);

listen((_request, response) => {
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': body.length }).end(body);
});
