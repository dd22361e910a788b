/** Floor (e): the least that answers over HTTP. It is JavaScript, since types cost a start 20 MB and 50 ms. */
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('hello'));
server.listen(0, '127.0.0.1', () => console.log(`  listens  http://127.0.0.1:${server.address().port}`));
