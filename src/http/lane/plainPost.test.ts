import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../client/client.ts';
import { OneShotClient } from '../../client/client.ts';
import { PlainPosts } from './plainPost.ts';

const LINE = 'POST /event?type=deploy HTTP/1.1';
const head = (...lines: string[]) => [...lines, '', ''].join('\r\n');
const withHeaders = (...lines: string[]) => head(LINE, 'Host: h', ...lines);
const recognised = (text: string, posts = new PlainPosts()) => {
  const post = posts.recognise(Buffer.from(text, 'latin1'));
  return post && { ...post, body: post.body.toString('latin1') };
};
const parametersOf = (text: string, posts?: PlainPosts) => {
  const post = recognised(text, posts);
  return post?.format === 'parameters' && post.body === '' ? post.query : undefined;
};
/** A post with a body. */
const withBody = (body: string, ...lines: string[]) =>
  head('POST /event HTTP/1.1', 'Host: h', ...lines, `Content-Length: ${body.length}`) + body;
const JSON_TYPE = 'Content-Type: application/json';

/** What the client of the npm package sends of an event, in one piece. */
async function sentByClient(event: NewEvent): Promise<string> {
  let sent = '';
  const server = createServer((socket) => {
    socket.once('data', (chunk: Buffer) => {
      sent = chunk.toString('latin1');
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{"accepted":1}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new OneShotClient({ url: `http://127.0.0.1:${port}`, token: 't' }).push(event);
  server.close();
  return sent;
}

describe('a plain post is', () => {
  it.each([
    ["curl's", withHeaders('User-Agent: curl/8.5.0', 'Accept: */*')],
    ["Go's", withHeaders('User-Agent: Go-http-client/1.1', 'Content-Length: 0', 'Accept-Encoding: gzip')],
    [
      "Python's requests'",
      withHeaders(
        'User-Agent: python-requests/2.32.3',
        'Accept-Encoding: gzip, deflate',
        'Accept: */*',
        'Connection: keep-alive',
        'Content-Length: 0',
      ),
    ],
    [
      "Node's fetch's",
      head(
        LINE,
        'host: h',
        'connection: keep-alive',
        'accept: */*',
        'accept-language: *',
        'sec-fetch-mode: cors',
        'user-agent: node',
        'accept-encoding: br, gzip, deflate',
        'content-length: 0',
      ),
    ],
    ["wrk's", head(LINE, 'Host: 127.0.0.1:9091')],
    ['one with an id and a token', withHeaders('Idempotency-Key: "a b"', 'Authorization: Bearer x')],
    ['one with names in any case', head(LINE, 'HOST: h', 'cOnnection: Keep-Alive')],
    ['one without a blank behind the colon', head(LINE, 'Host:h')],
  ])('%s', (_name, text) => {
    expect(parametersOf(text)).toBe('type=deploy');
  });

  it.each([
    ['nothing', 'POST /event HTTP/1.1', ''],
    ['a question mark only', 'POST /event? HTTP/1.1', ''],
    [
      'what encoders leave and make',
      `POST /event?a-b.c~d=%C3%BC+x!*'(),/:;=@$&_ HTTP/1.1`,
      `a-b.c~d=%C3%BC+x!*'(),/:;=@$&_`,
    ],
    ['an escape that is none, which is refused later', 'POST /event?a=%zz HTTP/1.1', 'a=%zz'],
  ])('of parameters, %s', (_name, line, parameters) => {
    expect(parametersOf(head(line, 'Host: h'))).toBe(parameters);
  });
});

describe('a plain post with a body is', () => {
  it.each([
    ['application/json', 'json'],
    ['application/x-ndjson', 'ndjson'],
    ['application/jsonl', 'ndjson'],
  ])('one of %s', (type, format) => {
    const lines = ['User-Agent: curl/8.5.0', 'Accept: */*', `content-type: ${type}`];
    expect(recognised(withBody('{}\n', ...lines))).toMatchObject({ format, query: '', body: '{}\n' });
  });

  it.each([
    ['a form', withBody('a=1', 'Content-Type: application/x-www-form-urlencoded')],
    ["a form of Node's", withBody('a=1', 'Content-Type: application/x-www-form-urlencoded;charset=UTF-8')],
  ])('%s', (_name, text) => {
    expect(recognised(text)).toMatchObject({ format: 'parameters', query: '', body: 'a=1' });
    const both = text.replace('event', 'event?b=2');
    expect(recognised(both)).toMatchObject({ format: 'parameters', query: 'b=2', body: 'a=1' });
  });

  it('one beside parameters, which say what is common to its events', () => {
    const text = withBody('{}', JSON_TYPE).replace('event', 'event?partial=true');
    expect(recognised(text)).toMatchObject({ format: 'json', query: 'partial=true', body: '{}' });
  });

  it("our own client's", async () => {
    expect(recognised(await sentByClient({ labels: { type: 'deploy' }, id: 'a"b', timestamp: 0 }))).toEqual({
      format: 'parameters',
      query: '',
      body: 'type=deploy&__timestamp__=1970-01-01T00%3A00%3A00.000Z',
      headers: expect.objectContaining({
        authorization: 'Bearer t',
        'idempotency-key': '"a\\"b"',
      }) as object,
    });
  });

  it('one that holds anything, and is as long as it says', () => {
    const body = '\r\n\r\nPOST /event HTTP/1.1\r\n\xff\0';
    expect(recognised(withBody(body, JSON_TYPE))).toMatchObject({ format: 'json', body });
    expect(recognised(withBody(' '.repeat(60_000), JSON_TYPE))?.body).toHaveLength(60_000);
  });
});

describe('no plain post is', () => {
  it.each([
    ['nothing at all', ''],
    ['a part of a first line', LINE.slice(0, 20)],
    ['a first line alone', `${LINE}\r\n`],
    ['a head that is not over', withHeaders().slice(0, -1)],
    ['one without its last empty line', withHeaders().slice(0, -2)],
    ['one with a byte behind it', `${withHeaders()}x`],
    ['one with an empty line behind it', `${withHeaders()}\r\n`],
    ['one with an empty line before it', `\r\n${withHeaders()}`],
    ['two', withHeaders() + withHeaders()],
    ['two, of which the second has no parameters', withHeaders() + head('POST /event HTTP/1.1', 'Host: h')],
    ['another method', head(LINE.replace('POST', 'PUT'), 'Host: h')],
    ['a method in lower case', head(LINE.replace('POST', 'post'), 'Host: h')],
    ['another path', head(LINE.replace('event', 'events'), 'Host: h')],
    ['a path in another case', head(LINE.replace('event', 'Event'), 'Host: h')],
    ['a path below it', head(LINE.replace('event', 'event/'), 'Host: h')],
    ['a path that is encoded', head(LINE.replace('event', '%65vent'), 'Host: h')],
    ['a whole URL', head('POST http://h/event?a=1 HTTP/1.1', 'Host: h')],
    ['another version', head(LINE.replace('1.1', '1.0'), 'Host: h')],
    ['no version', head('POST /event?a=1', 'Host: h')],
    ['no version and no parameters', head('POST /event', 'Host: h')],
    ['two blanks before the version', head(LINE.replace(' HTTP', '  HTTP'), 'Host: h')],
    ['a blank behind the version', head(`${LINE} `, 'Host: h')],
    ['a blank in the parameters', head('POST /event?a=b c HTTP/1.1', 'Host: h')],
    ['a tab in the parameters', head('POST /event?a=b\tc HTTP/1.1', 'Host: h')],
    ['a fragment', head('POST /event?a=1#b HTTP/1.1', 'Host: h')],
    ['a byte beyond ASCII in the parameters', head('POST /event?a=\u00fc HTTP/1.1', 'Host: h')],
    ['a NUL in the parameters', head('POST /event?a=\0 HTTP/1.1', 'Host: h')],
    ['a line feed in the parameters', head('POST /event?a=\n HTTP/1.1', 'Host: h')],
    ['quotes and brackets in the parameters', head('POST /event?a="{}" HTTP/1.1', 'Host: h')],
    ['line feeds alone', withHeaders().replaceAll('\r\n', '\n')],
    ['one line feed alone', withHeaders('Accept: */*').replace('h\r\n', 'h\n')],
    ['one carriage return alone', withHeaders('Accept: */*').replace('h\r\n', 'h\r')],
    ['no Host', head(LINE)],
    ['no Host, but others', head(LINE, 'User-Agent: x')],
    ["one that another site's page caused", withHeaders('Sec-Fetch-Site: cross-site')],
    ['one that a page of the same site caused', withHeaders('Sec-Fetch-Site: same-site')],
    ['one with an origin', withHeaders('Origin: http://h')],
    ['an empty Host', head(LINE, 'Host:')],
    ['a Host of blanks', head(LINE, 'Host:   ')],
    ['two Hosts', withHeaders('host: h')],
    ['a header twice', withHeaders('Accept: */*', 'accept: */*')],
    ['a length twice', withHeaders('Content-Length: 0', 'Content-Length: 0')],
    ['a length', withHeaders('Content-Length: 1')],
    ['a length written otherwise', withHeaders('Content-Length: 00')],
    ['a length with a sign', withHeaders('Content-Length: +0')],
    ['a list of lengths', withHeaders('Content-Length: 0, 0')],
    ['chunks', withHeaders('Transfer-Encoding: chunked')],
    ['a type', withHeaders('Content-Type: application/json')],
    ['a coding', withHeaders('Content-Encoding: gzip')],
    ['an expectation', withHeaders('Expect: 100-continue')],
    ['an end of the connection', withHeaders('Connection: close')],
    ['a list of options', withHeaders('Connection: keep-alive, TE')],
    ['an upgrade', withHeaders('Connection: Upgrade', 'Upgrade: h2c')],
    ['two ids', withHeaders('Idempotency-Key: 1', 'Idempotency-Key: 2')],
    ['an empty id', withHeaders('Idempotency-Key:')],
    ['an id beyond ASCII', withHeaders('Idempotency-Key: \u00fc')],
    ['two credentials', withHeaders('Authorization: Bearer x', 'Authorization: Bearer x')],
    ['a CloudEvent', withHeaders('ce-specversion: 1.0')],
    ['a word of a proxy', withHeaders('X-Forwarded-For: 10.0.0.1')],
    ['a wish for text', withHeaders('Accept: text/plain')],
    ['a wish for text in any case, among others', withHeaders('Accept: */*, Text/Plain;q=0.1')],
    ['a header that nobody knows', withHeaders('X-A: b')],
    ['a name that every object has', withHeaders('constructor: b')],
    ['another such', withHeaders('__proto__: b')],
    ['a name with a blank behind it', withHeaders('Accept : */*')],
    ['a blank before a name', withHeaders(' Accept: */*')],
    ['a value that goes on', withHeaders('Accept: a', ' b')],
    ['a value with blanks around it', withHeaders('Accept:  */* ')],
    ['a tab in a value', withHeaders('Accept: a\tb')],
    ['a byte beyond ASCII in a value', withHeaders('User-Agent: \u00fc')],
    ['a NUL in a value', withHeaders('User-Agent: a\0b')],
    ['a header without a value', withHeaders('Accept:')],
    ['a header without a name', withHeaders(': a')],
    ['a header without a colon', withHeaders('Accept')],
    ['a body', withHeaders('Content-Length: 0') + 'a=1'],
    ['a body of no type', withBody('{}')],
    ['a type of no body', withBody('', JSON_TYPE)],
    ['a body of another type', withBody('a=1', 'Content-Type: text/plain')],
    ['an empty form', withBody('', 'Content-Type: application/x-www-form-urlencoded')],
    ['a type with a parameter', withBody('{}', `${JSON_TYPE}; charset=utf-8`)],
    ['a type in another case', withBody('{}', 'Content-Type: Application/JSON')],
    ['two types', withBody('{}', JSON_TYPE, JSON_TYPE)],
    ['a body that is a byte short', withBody('{}', JSON_TYPE).slice(0, -1)],
    ['a body that has not begun', withBody('{}', JSON_TYPE).slice(0, -2)],
    ['a byte behind a body', `${withBody('{}', JSON_TYPE)} `],
    ['a post behind a body', withBody('{}', JSON_TYPE) + withHeaders()],
    ['a length of a body written otherwise', withBody('{}', JSON_TYPE).replace(': 2', ': 02')],
    ['a length of a body given twice', withBody('{}', JSON_TYPE, 'Content-Length: 2')],
    ['a list of lengths of a body', withBody('{}', JSON_TYPE).replace(': 2', ': 2, 2')],
    ['a body in chunks, too', withBody('{}', JSON_TYPE, 'Transfer-Encoding: chunked')],
    ['a compressed body', withBody('{}', JSON_TYPE, 'Content-Encoding: gzip')],
    ['a body that is awaited', withBody('{}', JSON_TYPE, 'Expect: 100-continue')],
    ['a body of 100,000 bytes', withBody(' '.repeat(100_000), JSON_TYPE)],
    ['a head of more than 4 KiB', withBody('{}', JSON_TYPE, `User-Agent: ${'x'.repeat(4_000)}`)],
  ])('%s', (_name, text) => {
    expect(recognised(text)).toBeUndefined();
  });
});

describe('on one connection', () => {
  it('what was found good once is good again, and only that', () => {
    const posts = new PlainPosts();
    const good = withHeaders('Accept: */*');
    expect(parametersOf(good, posts)).toBe('type=deploy');
    expect(parametersOf(good.replace('deploy', 'job'), posts)).toBe('type=job');
    expect(parametersOf(withHeaders('X-A: b'), posts)).toBeUndefined();
    expect(parametersOf(good.replace('HTTP/1.1', 'HTTP/1.0'), posts)).toBeUndefined();
    expect(recognised(`${good}x`, posts)).toBeUndefined();
    expect(parametersOf(good, posts)).toBe('type=deploy');
  });

  it('a body is as long as the headers say that stand before it, whatever stood there last', () => {
    const posts = new PlainPosts();
    for (const body of ['{}', '[{}]', '{}', '[]']) {
      const text = withBody(body, JSON_TYPE);
      expect(recognised(text, posts)?.body).toBe(body);
      expect(recognised(`${text} `, posts)).toBeUndefined();
      expect(recognised(text.slice(0, -1), posts)).toBeUndefined();
      expect(parametersOf(withHeaders(), posts)).toBe('type=deploy');
    }
  });

  it('an id, a credential and a length may change, and each is what stands there', () => {
    const posts = new PlainPosts();
    const of = (id: string, token: string, body: string) =>
      withBody(body, JSON_TYPE, `Idempotency-Key: ${id}`, `Authorization: Bearer ${token}`, 'Accept: */*');
    for (const [id, token, body] of [
      ['1', 'x', '{}'],
      ['22', 'y', '[{}]'],
      ['1', 'x', '{}'],
    ] as const)
      expect(recognised(of(id, token, body), posts)).toMatchObject({
        body,
        headers: {
          'idempotency-key': id,
          authorization: `Bearer ${token}`,
          'content-length': String(body.length),
          accept: '*/*',
        },
      });
    const good = of('1', 'x', '{}');
    for (const broken of [
      of('1 ', 'x', '{}'),
      of(' 1', 'x', '{}'),
      of('\u00fc', 'x', '{}'),
      of('1\r\nX-A: b', 'x', '{}'),
      of('1\r\nIdempotency-Key: 2', 'x', '{}'),
      of('1\n', 'x', '{}'),
      of('1\r', 'x', '{}'),
      of('', 'x', '{}'),
      good.replace(': 2\r', ': 02\r'),
      good.replace('Accept', 'X-A'),
    ])
      expect(recognised(broken, posts), JSON.stringify(broken)).toBeUndefined();
    expect(recognised(good, posts)).toMatchObject({ body: '{}' });
  });
});
