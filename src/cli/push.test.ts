import { describe, expect, it } from 'vitest';
import { fakeServer, runCli } from '../../test/support/cli.ts';

const accepted = () => new Response('{"accepted":1}');

describe('push', () => {
  it('posts labels, a value, a time and an id, and says that it did', async () => {
    const { fetch, requests } = fakeServer(accepted);
    const argv = [
      'push',
      'deploy',
      'service=api',
      'note=a=b',
      '--value',
      '-1',
      '--time',
      '1700000000',
      '--id',
      'x',
      '--metric',
      'm',
    ];
    const env = { ONESHOT_URL: 'http://server:1/base/', ONESHOT_TOKEN: 'secret' };
    expect(await runCli(argv, { fetch, env })).toEqual({ code: 0, stdout: 'accepted x\n', stderr: '' });
    const [request] = requests;
    expect(request?.url).toBe('http://server:1/base/event');
    expect(request?.headers.get('authorization')).toBe('Bearer secret');
    expect(request?.headers.get('idempotency-key')).toBe('"x"');
    expect([...new URLSearchParams(request?.body)]).toEqual([
      ['type', 'deploy'],
      ['service', 'api'],
      ['note', 'a=b'],
      ['__name__', 'm'],
      ['value', '-1'],
      ['__timestamp__', '2023-11-14T22:13:20.000Z'],
    ]);
  });

  it.each([
    [400, 3, /^oneshot push: not accepted id-1: no \(400\)\n$/],
    [401, 4, /check the token or the user\n$/],
    [404, 4, /check the address\n$/],
    [
      503,
      1,
      /attempt 1: no \(503\); trying again in 0\.1 s\n[\s\S]*not accepted id-1: no \(503\) \(after 10 attempts\)\n$/,
    ],
  ])('answered with %i ends with %i', async (status, code, message) => {
    const { fetch } = fakeServer(() => new Response('{"error":"no"}', { status }));
    const ran = await runCli(['push', 'a=1'], { fetch });
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toMatch(message);
  });

  it('tells what became of it as JSON, on standard output, also where it was not accepted', async () => {
    const yes = await runCli(['push', 'a=1', '--json'], { fetch: fakeServer(accepted).fetch });
    expect(JSON.parse(yes.stdout)).toEqual({
      outcome: 'accepted',
      id: 'id-1',
      time: '2026-11-24T12:00:00.000Z',
      duplicate: false,
      attempts: 1,
    });
    const { fetch } = fakeServer(() => new Response('{"error":"no","field":"a"}', { status: 400 }));
    const no = await runCli(['push', 'a=1', '--json'], { fetch });
    expect(JSON.parse(no.stdout)).toEqual({
      outcome: 'lost',
      id: 'id-1',
      reason: 'refused',
      error: 'no (400)',
      status: 400,
      field: 'a',
    });
  });

  it('is quiet where it is asked to be', async () => {
    expect((await runCli(['push', 'deploy', '-q'], { fetch: fakeServer(accepted).fetch })).stdout).toBe('');
  });

  it.each([[[]], [['']], [['type=']], [['a=', 'b=']], [['', 'service=api']], [['--metric', 'm']]])(
    'without a label, as in %j, ends with 2 and sends nothing, unless it is meant',
    async (words) => {
      const { fetch, requests } = fakeServer(accepted);
      const { code, stderr } = await runCli(['push', ...words], { fetch });
      expect({ code, sent: requests.length }).toEqual({ code: 2, sent: 0 });
      expect(stderr).toMatch(/is a variable not set\?.*--allow-empty/);
      expect((await runCli(['push', ...words, '--allow-empty'], { fetch })).code).toBe(0);
      expect(requests).toHaveLength(1);
    },
  );

  it('takes a label whose value ends in an equals sign', async () => {
    expect((await runCli(['push', 'hash=YQ=='], { fetch: fakeServer(accepted).fetch })).code).toBe(0);
  });

  it('shows no control characters of a server on a terminal', async () => {
    const { fetch } = fakeServer(() => new Response('{"error":"\\u001b[2Jgone"}', { status: 400 }));
    expect((await runCli(['push', 'deploy'], { fetch })).stderr).toContain('\\x1b[2Jgone');
  });
});

describe('push --stdin', () => {
  const push = async (
    lines: readonly string[],
    answer: () => Response = accepted,
    argv: readonly string[] = [],
  ) => {
    const { fetch, requests } = fakeServer(answer);
    const stdin = (async function* () {
      yield lines.join('\n');
    })();
    return { ...(await runCli(['push', '--stdin', ...argv], { fetch, stdin })), requests };
  };

  it('posts each line as it came, in order, with the labels of the command line', async () => {
    const lines = [
      '{"labels":{"version":1.10,"big":12345678901234567890,"a":"1","a":"2"},"id":"a","value":"NaN"}',
      '',
      ' {"name":"m","timestamp":1700000000.5} ',
      '{"unknown":1e400}',
    ];
    const { code, stdout, requests } = await push(lines, accepted, ['deploy', 'env=a b']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'accepted 3 events\n' });
    expect(requests.map(({ body }) => body)).toEqual([lines[0], lines[2], lines[3]]);
    expect(requests.map(({ headers }) => headers.get('content-type'))).toEqual(
      Array(3).fill('application/json'),
    );
    expect(requests.map(({ url }) => [...new URL(url).searchParams])).toEqual([
      [
        ['type', 'deploy'],
        ['env', 'a b'],
        ['__timestamp__', '2026-11-24T12:00:00.000Z'],
      ],
      [
        ['type', 'deploy'],
        ['env', 'a b'],
      ],
      [
        ['type', 'deploy'],
        ['env', 'a b'],
        ['__timestamp__', '2026-11-24T12:00:00.000Z'],
      ],
    ]);
    // An id of its own is said once.
    expect(requests.map(({ headers }) => headers.get('idempotency-key'))).toEqual([null, '"id-1"', '"id-2"']);
  });

  it('tells each by its own id, and by its own time', async () => {
    const { stdout } = await push(['{"id":"b\\u0007","timestamp":1700000000}'], accepted, ['--json']);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'b?', time: '2023-11-14T22:13:20.000Z' });
  });

  it.each([
    ['{"a":', 'not valid JSON: '],
    ['nope', 'not valid JSON: Unexpected token \'o\', "nope"\n'],
    ['[]', 'not a JSON object; write {"labels":{"type":"deploy"}}'],
    ['null', 'not a JSON object'],
    [`{"labels":{"a":"${'x'.repeat(1024 * 1024)}"}}`, 'longer than 1048576 bytes'],
  ])('tells a line that is no JSON object, %.40s, and goes on', async (line, message) => {
    const { code, stdout, stderr } = await push([line, '{}'], accepted, ['deploy']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: 'accepted 1 event\n' });
    expect(stderr).toContain(`oneshot push: line 1: invalid event: ${message}`);
  });

  it('goes on after a refused line, and stops where the server is gone, saying where', async () => {
    let answers = 0;
    const refused = await push(['{}', '{}'], () => {
      answers += 1;
      return answers === 1 ? new Response('{"error":"no"}', { status: 400 }) : accepted();
    });
    expect(refused).toMatchObject({ code: 3, stdout: 'accepted 1 event\n' });
    answers = 0;
    const gone = await push(['{}', '{}', '{}'], () => {
      answers += 1;
      return answers === 1 ? accepted() : new Response('{"error":"no"}', { status: 401 });
    });
    expect(gone.code).toBe(4);
    expect(gone.stderr).toContain(
      'stopped at line 2: 1 event before it was accepted, the rest were not sent',
    );
    expect(gone.requests).toHaveLength(2);
  });
});

describe('push --wait', () => {
  const told = (delivered: boolean, scrapers: object[], ended = 'settled') =>
    new Response(
      JSON.stringify({
        duplicate: true,
        delivered,
        scrapers,
        ...(!delivered && { ended, message: 'not yet' }),
      }),
      { status: delivered ? 200 : 202 },
    );
  const server = (waited: () => Response) =>
    fakeServer((url) => (url.includes('wait=') ? waited() : accepted()));

  it('ends with 0 once it is delivered, and says to whom', async () => {
    const { fetch, requests } = server(() =>
      told(true, [
        { id: 'a', state: 'delivered' },
        { id: 'b', state: 'deliveredWithoutProof' },
      ]),
    );
    expect(await runCli(['push', 'deploy', '--wait', '--to', 'a,b'], { fetch })).toEqual({
      code: 0,
      stdout: 'accepted id-1\ndelivered id-1 to a, b (deliveredWithoutProof)\n',
      stderr: '',
    });
    expect(requests.map(({ url }) => url)).toEqual([
      'http://localhost:8090/event',
      'http://localhost:8090/event?wait=delivered&to=a%2Cb',
    ]);
    expect(requests[1]?.headers.get('prefer')).toBe('wait=50');
  });

  it('ends with 5 where it is stored and not delivered, and says where it is', async () => {
    const { fetch, requests } = server(() =>
      told(false, [
        { id: 'a', state: 'delivered' },
        { id: 'b', state: 'dropped', reason: 'backlog_full' },
      ]),
    );
    expect(await runCli(['push', 'deploy', 'service=api', '--wait=10s'], { fetch })).toEqual({
      code: 5,
      stdout: 'accepted id-1\n',
      stderr: 'oneshot push: not delivered id-1: not yet (a: delivered; b: dropped, backlog_full)\n',
    });
    expect(requests[1]?.headers.get('prefer')).toBe('wait=10');
    const asJson = await runCli(['push', 'deploy', '--wait', '--json'], { fetch });
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      outcome: 'accepted',
      delivered: false,
      message: 'not yet',
      scrapers: [{ id: 'a' }, { id: 'b' }],
    });
  });

  it('ends as ever where it is not stored, and tells where nobody can wait', async () => {
    const no = fakeServer(() => new Response('{"error":"no"}', { status: 400 }));
    expect((await runCli(['push', 'deploy', '--wait'], { fetch: no.fetch })).code).toBe(3);
    expect(no.requests).toHaveLength(1);
    const { fetch } = server(() => new Response('{"error":"no","field":"to"}', { status: 400 }));
    expect(await runCli(['push', 'deploy', '--wait', '--to=b'], { fetch })).toEqual({
      code: 3,
      stdout: 'accepted id-1\n',
      stderr: 'oneshot push: not waited for id-1: no (400)\n',
    });
  });

  it.each([
    [['deploy', '--to', 'a'], /add --wait/],
    [['deploy', '--wait', '--to', 'a,'], /empty name/],
    [['--stdin', '--wait'], /can't be used with --stdin/],
    [['deploy', '--wait=soon'], /--wait must be/],
  ])('push %j can not be', async (argv, message) => {
    const { fetch, requests } = fakeServer(accepted);
    const ran = await runCli(['push', ...argv], { fetch });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(message);
    expect(requests).toEqual([]);
  });

  it('takes what stands behind --wait for a label', async () => {
    const { fetch, requests } = server(() => told(true, []));
    expect((await runCli(['push', '--wait', 'deploy', 'service=api'], { fetch })).code).toBe(0);
    expect(requests[0]?.body).toMatch(/^type=deploy&service=api&/);
  });
});
