import { describe, expect, it } from 'vitest';
import { RawClient, request } from '../support/rawHttp.ts';
import { withoutArrivals } from '../support/eventIds.ts';
import type { RunningServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';

interface Answer {
  readonly status: number;
  readonly body: { error?: string; field?: string; items?: object[]; [key: string]: unknown };
}

async function post(
  server: RunningServer,
  type: string,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  query = '',
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(`${server.url}/event${query}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body,
    // As a stream must be sent.
    ...({ duplex: 'half' } as object),
  });
  return { status: answer.status, body: JSON.parse(withoutArrivals(await answer.text())) as Answer['body'] };
}

/** The events that are in the log, as they look in a scrape, in order. */
async function events(server: RunningServer): Promise<string[]> {
  const body = await (await fetch(`${server.url}/metrics?scraper=reader&timestamps=explicit`)).text();
  return body
    .split('\n')
    .filter((line) => /^(?:e|events_to_metrics)(?:\{| )/.test(line))
    .map((line) => line.replace(/ \d+$/, ''));
}

const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';
const CLOUD_EVENT = { specversion: '1.0', type: 't', source: '/s', id: '1' };

describe('POST /event with JSON', () => {
  it('takes one event, answers as for a form, and knows it by its id', async () => {
    await using server = await startServer();
    const body = JSON.stringify({ name: 'e', labels: { a: 'x', n: 1 }, value: 2.5, id: 'one' });
    expect(await post(server, JSON_TYPE, body)).toEqual({ status: 200, body: { accepted: 1 } });
    expect(await post(server, JSON_TYPE, body)).toEqual({ status: 200, body: { duplicate: true } });
    expect(await post(server, JSON_TYPE, '{"name":"e"}', '', { 'idempotency-key': 'one' })).toEqual({
      status: 200,
      body: { duplicate: true },
    });
    expect(await events(server)).toEqual(['e{a="x",n="1"} 2.5']);
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/vnd.me+json'])(
    'takes it as %s',
    async (type) => {
      await using server = await startServer();
      expect((await post(server, type, '{}')).body).toEqual({ accepted: 1, eventId: 'e1' });
    },
  );

  it('takes an array whole or not at all, and names the event and the field', async () => {
    await using server = await startServer();
    const good = [{ name: 'e' }, { labels: { env: 'a' } }, {}];
    const bad = [...good, { labels: { env: { x: 1 } } }];
    const refused = await post(server, JSON_TYPE, JSON.stringify(bad));
    expect(refused).toMatchObject({ status: 400, body: { field: '[3].labels.env' } });
    expect(refused.body.error).toMatch(/^\[3\]: labels\.env is an object/);
    expect(await events(server)).toEqual([]);
    expect(await post(server, JSON_TYPE, JSON.stringify(good))).toEqual({
      status: 200,
      body: { accepted: 3, duplicates: 0, eventIds: ['e1', 'e2', 'e3'] },
    });
    expect(await events(server)).toHaveLength(3);
  });

  it('counts what an array brings again', async () => {
    await using server = await startServer();
    const batch = JSON.stringify([{ id: 'a' }, { id: 'b' }, { id: 'a' }, {}]);
    expect((await post(server, JSON_TYPE, batch)).body).toEqual({
      accepted: 3,
      duplicates: 1,
      eventIds: [null, null, null, 'e3'],
    });
    expect((await post(server, JSON_TYPE, batch)).body).toEqual({
      accepted: 1,
      duplicates: 3,
      eventIds: [null, null, null, 'e4'],
    });
    expect((await post(server, JSON_TYPE, '[]')).body).toEqual({ accepted: 0, duplicates: 0 });
  });

  it('takes a batch under an Idempotency-Key as one, which is not the id of an event of it', async () => {
    await using server = await startServer();
    const key = { 'idempotency-key': 'k' };
    expect((await post(server, JSON_TYPE, '[{},{}]', '', key)).body).toEqual({
      accepted: 2,
      duplicates: 0,
      eventIds: ['e1', 'e2'],
    });
    expect((await post(server, JSON_TYPE, '[{},{}]', '', key)).body).toEqual({ accepted: 0, duplicates: 2 });
    expect((await post(server, JSON_TYPE, '[{},{}]', '?__id__=k')).body).toEqual({
      accepted: 0,
      duplicates: 2,
    });
    expect((await post(server, JSON_TYPE, '[{"id":"k"}]')).body).toEqual({ accepted: 1, duplicates: 0 });
  });

  it('has the parameters of the URL as labels of all events, and refuses a name that stands in both', async () => {
    await using server = await startServer();
    const query = '?env=prod&__name__=e&value=3';
    expect((await post(server, JSON_TYPE, '[{},{"labels":{"a":"b"}}]', query)).status).toBe(200);
    expect(await events(server)).toEqual(['e{env="prod"} 3', 'e{a="b",env="prod"} 3']);
    for (const [body, field] of [
      ['[{},{"labels":{"env":"x"}}]', '[1].labels.env'],
      ['[{"name":"f"}]', '[0].name'],
      ['[{"value":3}]', '[0].value'],
    ] as const) {
      expect(await post(server, JSON_TYPE, body, query)).toMatchObject({ status: 400, body: { field } });
    }
    expect(await post(server, JSON_TYPE, '[{}]', '?a-b=1')).toMatchObject({
      status: 400,
      body: { field: 'a-b' },
    });
    expect(await events(server)).toEqual([]);
  });

  it('with partial=true stores what is right, and answers for each event', async () => {
    await using server = await startServer();
    await post(server, JSON_TYPE, '{"id":"old"}');
    const batch = '[{"name":"e"},{"value":"x"},{"id":"old"},{"labels":1}]';
    expect(await post(server, JSON_TYPE, batch, '?partial=true')).toEqual({
      status: 200,
      body: {
        accepted: 1,
        duplicates: 1,
        refused: 2,
        items: [
          { status: 'accepted', eventId: 'e2' },
          {
            status: 'refused',
            error: expect.stringMatching(/^\[1\]: value "x"/) as string,
            field: '[1].value',
          },
          { status: 'duplicate' },
          { status: 'refused', error: expect.any(String) as string, field: '[3].labels' },
        ],
      },
    });
    expect(await events(server)).toEqual(['events_to_metrics 1', 'e 1']);
    expect(await post(server, JSON_TYPE, '[{"value":"x"}]', '?partial=true')).toMatchObject({
      status: 400,
      body: { accepted: 0, refused: 1, items: [{ status: 'refused' }] },
    });
    expect(await post(server, JSON_TYPE, '[{', '?partial=true')).toMatchObject({
      status: 400,
      body: { field: 'body' },
    });
    expect(await post(server, JSON_TYPE, '[]', '?partial=yes')).toMatchObject({
      status: 400,
      body: { field: 'partial' },
    });
  });

  it('refuses more events than a batch may have', async () => {
    await using server = await startServer({ 'batch.eventsMax': 2 });
    expect((await post(server, JSON_TYPE, '[{},{}]')).status).toBe(200);
    for (const query of ['', '?partial=true']) {
      const answer = await post(server, JSON_TYPE, '[{},{},{}]', query);
      expect(answer).toMatchObject({ status: 413, body: { field: 'body' } });
      expect(answer.body.error).toContain('batch.eventsMax');
    }
    expect(await events(server)).toHaveLength(2);
  });
});

describe('POST /event with NDJSON', () => {
  /** A body that is made as it is sent. */
  function streamed(lines: number, line: (n: number) => string): ReadableStream {
    let n = 0;
    return new ReadableStream({
      pull(controller) {
        let text = '';
        for (let i = 0; i < 1000 && n < lines; i += 1) text += `${line(n++)}\n`;
        if (text === '') controller.close();
        else controller.enqueue(new TextEncoder().encode(text));
      },
    });
  }

  it.each([NDJSON, 'application/jsonl', 'application/x-ndjson; charset=utf-8'])(
    'takes an event on each line of %s',
    async (type) => {
      await using server = await startServer();
      const body = '{"name":"e","labels":{"a":"1"}}\n\n{"name":"e","id":"x"}\r\n{"name":"e","id":"x"}';
      expect(await post(server, type, body, '?b=2')).toEqual({
        status: 200,
        body: { accepted: 2, duplicates: 1, eventIds: ['e1', null, null] },
      });
      expect(await events(server)).toEqual(['e{a="1",b="2"} 1', 'e{b="2"} 1']);
    },
  );

  it('takes a stream far longer than event.bodyMax, together', async () => {
    await using server = await startServer({ 'event.bodyMax': 1024 });
    const body = streamed(20_000, (n) => JSON.stringify({ name: 'e', labels: { n } }));
    expect(await post(server, NDJSON, body)).toEqual({
      status: 200,
      body: { accepted: 20_000, duplicates: 0 },
    });
  });

  it('stores nothing of a stream that breaks a rule late, and the connection goes on', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    const lines = [...Array.from({ length: 5000 }, () => '{"name":"e"}'), '{"name":', '{}'.repeat(100_000)];
    const headers = { 'Content-Type': NDJSON, 'Content-Length': String(lines.join('\n').length) };
    client.send(request('POST', '/event', headers) + lines.join('\n'));
    const answer = await client.response();
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ field: '[5000]' });
    client.get('/healthz');
    expect((await client.response()).status).toBe(200);
    expect(await events(server)).toEqual([]);
  });

  it('with partial=true goes on behind a line that is wrong', async () => {
    await using server = await startServer();
    const body = '{"name":"e"}\n{"name":\n{"name":"e"}\n';
    expect(await post(server, NDJSON, body, '?partial=true')).toMatchObject({
      status: 200,
      body: { accepted: 2, refused: 1, items: [{}, { status: 'refused', field: '[1]' }, {}] },
    });
    expect(await events(server)).toHaveLength(2);
  });

  it.each([
    ['a line', 'event.bodyMax', '{}\n', `{"labels":{"a":"${'x'.repeat(2000)}"}}`],
    ['a body', 'batch.bytesMax', '{}\n'.repeat(2000), ''],
    ['a batch', 'batch.eventsMax', '{}\n'.repeat(101), ''],
  ])('refuses %s beyond %s with 413', async (_what, setting, before, after) => {
    await using server = await startServer({
      'event.bodyMax': 1024,
      'batch.bytesMax': 4096,
      'batch.eventsMax': 100,
    });
    const answer = await post(server, NDJSON, before + after, '?partial=true');
    expect(answer).toMatchObject({ status: 413, body: { field: 'body' } });
    expect(answer.body.error).toContain(setting);
    expect(await events(server)).toEqual([]);
  });

  it.each(['end', 'reset'] as const)(
    'stores nothing of a stream that is cut by %s, and is at ease',
    async (how) => {
      await using server = await startServer();
      const client = await RawClient.connect(server.port);
      const lines = '{"name":"e"}\n'.repeat(10);
      client.send(request('POST', '/event', { 'Content-Type': NDJSON, 'Content-Length': '1000' }) + lines);
      // So that the reading has begun.
      await fetch(`${server.url}/healthz`);
      const closed = new Promise((resolve) => client.socket.once('close', resolve));
      client[how]();
      await closed;
      await expect.poll(() => server.log.join('')).toContain('body is incomplete');
      expect(await events(server)).toEqual([]);
      expect(server.log.filter((line) => line.includes('"error","'))).toEqual([]);
    },
  );
});

/** The status and the text of an answer. */
const answersOf =
  (server: RunningServer) =>
  async (type: string, body: string, query = '', headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/event${query}`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': type },
      body,
    });
    return [response.status, await response.text()];
  };

describe('POST /event with a Content-Type that is not the one that is meant', () => {
  const FORM = 'application/x-www-form-urlencoded';

  it.each([
    '{"labels":{"type":"deploy"}}',
    ' [{"labels":{}}]',
    '{}',
    "{'labels':1}",
    '{"a":1}\n{"a":2}',
    '\ufeff{"a":1}',
  ])('refuses JSON as a form, whatever names are taken: %s', async (body) => {
    for (const names of ['legacy', 'utf8'] as const) {
      await using server = await startServer({ 'event.names': names });
      const answer = await post(server, FORM, body);
      expect(answer).toMatchObject({ status: 415, body: { field: 'Content-Type' } });
      expect(answer.body.error).toContain('application/json');
      expect(answer.body.error).not.toContain('event.names');
      expect(await events(server)).toEqual([]);
    }
  });

  it('takes a form that looks a little like it', async () => {
    await using server = await startServer({ 'event.names': 'utf8' });
    expect((await post(server, FORM, 'a={"b":1}')).body).toMatchObject({ accepted: 1 });
    expect((await post(server, FORM, '{a}=1')).body).toMatchObject({ accepted: 1 });
  });

  it.each([JSON_TYPE, NDJSON, 'application/vnd.x+json'])(
    'takes what the URL says where %s has no body',
    async (type) => {
      await using server = await startServer();
      const response = await fetch(`${server.url}/event?type=deploy`, {
        method: 'POST',
        headers: { 'Content-Type': type },
      });
      expect(await response.json()).toMatchObject({ accepted: 1 });
      expect(await events(server)).toEqual(['events_to_metrics{type="deploy"} 1']);
    },
  );

  it('still refuses an empty JSON body where the URL says nothing', async () => {
    await using server = await startServer();
    expect(await post(server, JSON_TYPE, '')).toMatchObject({ status: 400, body: { field: 'body' } });
  });

  it.each([
    [JSON_TYPE, JSON.stringify(CLOUD_EVENT), 'specversion'],
    [JSON_TYPE, JSON.stringify([CLOUD_EVENT]), '[0].specversion'],
    [NDJSON, JSON.stringify(CLOUD_EVENT), '[0].specversion'],
  ])('names the type of a CloudEvent that comes as %s: %s', async (type, body, field) => {
    await using server = await startServer();
    const answer = await post(server, type, body);
    expect(answer).toMatchObject({ status: 400, body: { field } });
    expect(answer.body.error).toContain('application/cloudevents+json');
    expect(answer.body.error).toContain('application/cloudevents-batch+json');
  });
});

describe('POST /event with CloudEvents', () => {
  const STRUCTURED = 'application/cloudevents+json';
  const BATCH = 'application/cloudevents-batch+json; charset=utf-8';

  it('takes one in structured mode, and stores it once by source and id', async () => {
    await using server = await startServer({ 'cloudevents.data': ['env=/env', 'value=/seconds'] });
    const answerTo = answersOf(server);
    const event = { ...CLOUD_EVENT, subject: 'x', data: { env: 'prod', seconds: 2 } };
    expect(await answerTo(STRUCTURED, JSON.stringify(event))).toEqual([204, '']);
    expect(await answerTo(STRUCTURED, JSON.stringify(event))).toEqual([204, '']);
    const other = { ...CLOUD_EVENT, source: '/other' };
    expect(await answerTo(STRUCTURED, JSON.stringify(other), '?__name__=e')).toEqual([204, '']);
    expect(await answerTo(STRUCTURED, JSON.stringify(other), '?partial=true')).toEqual([
      200,
      '{"accepted":0,"duplicates":1,"refused":0,"items":[{"status":"duplicate"}]}',
    ]);
    expect(await events(server)).toEqual([
      'events_to_metrics{env="prod",source="/s",subject="x",type="t"} 2',
      'e{source="/other",type="t"} 1',
    ]);
  });

  it('takes a batch', async () => {
    await using server = await startServer();
    const batch = [CLOUD_EVENT, { ...CLOUD_EVENT, id: '2' }, CLOUD_EVENT];
    expect((await post(server, BATCH, JSON.stringify(batch), '?partial=true')).body).toMatchObject({
      accepted: 2,
      duplicates: 1,
    });
    expect(await answersOf(server)(BATCH, JSON.stringify(batch))).toEqual([204, '']);
    expect(await post(server, BATCH, JSON.stringify([{}, CLOUD_EVENT]))).toMatchObject({
      status: 400,
      body: { field: '[0].specversion' },
    });
  });

  it.each([JSON_TYPE, 'text/plain', NDJSON, 'image/png'])(
    'takes one in binary mode, with a body of %s',
    async (type) => {
      await using server = await startServer({ 'cloudevents.data': ['env=/env'] });
      const headers = { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s', 'ce-id': '1' };
      const answerTo = answersOf(server);
      const answers = [
        await answerTo(type, '{"env":"prod"}', '', headers),
        await answerTo(type, '{"env":"prod"}', '', headers),
        await answerTo(STRUCTURED, JSON.stringify(CLOUD_EVENT)),
      ];
      expect(answers).toEqual([
        [204, ''],
        [204, ''],
        [204, ''],
      ]);
      const env = type === JSON_TYPE ? 'env="prod",' : '';
      expect(await events(server)).toEqual([`events_to_metrics{${env}source="/s",type="t"} 1`]);
    },
  );

  it('takes one in binary mode without a body, and refuses an attribute that is given twice', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    const head = 'ce-specversion: 1.0\r\nce-type: t\r\nce-source: s\r\nContent-Length: 0\r\nHost: x\r\n';
    client.send(`POST /event HTTP/1.1\r\n${head}ce-id: 1\r\n\r\n`);
    expect(await client.response()).toMatchObject({ status: 204, body: '' });
    client.send(`POST /event HTTP/1.1\r\n${head}ce-id: 1\r\nce-id: 2\r\n\r\n`);
    expect((await client.response()).status).toBe(400);
  });

  it.each(['type=/x', 'env', 'env=x', '=/x', 'a-b=/x', '__name__=/x', 'env=/~2'])(
    'does not start with cloudevents.data %s',
    async (mapping) => {
      await expect(startServer({ 'cloudevents.data': [mapping] })).rejects.toThrow(/^cloudevents\.data/);
    },
  );
});

describe('a body that is not taken', () => {
  it.each([
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/cloudevents+avro',
    'application/json; charset=iso-8859-1',
    'text/json',
  ])('of %s is a 415, whatever it holds', async (type) => {
    await using server = await startServer();
    const answer = await post(server, type, '{}');
    expect(answer).toMatchObject({ status: 415, body: { field: 'Content-Type' } });
    if (!type.includes('charset')) expect(answer.body.error).toContain('application/cloudevents-batch+json');
    expect(await events(server)).toEqual([]);
  });

  it('of no type at all is one, too', async () => {
    await using server = await startServer();
    const client = await RawClient.connect(server.port);
    client.send(`${request('POST', '/event', { 'Content-Length': '2' })}{}`);
    expect((await client.response()).status).toBe(415);
  });
});
