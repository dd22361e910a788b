import { describe, expect, it } from 'vitest';
import { helpText } from '../config/describe.ts';
import { CLI_NOW, fakeServer, runCli } from '../../test/support/cli.ts';
import { COMMANDS } from './commands.ts';

const json = (value: unknown) => () => new Response(JSON.stringify(value));

describe('help', () => {
  it('lists every command, on one screen, and is what --help prints where no command is named', async () => {
    const { code, stdout } = await runCli(['help']);
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) expect(stdout).toContain(`  ${name.padEnd(18)}${summary}\n`);
    expect((await runCli(['--help'])).stdout).toBe(stdout);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(30);
    expect(lines.filter((line) => line.length > 90)).toEqual([]);
    expect((await runCli(['serve', '--help'])).stdout).toBe(helpText());
  });

  it.each(COMMANDS.filter(({ name }) => name !== 'serve').map((command) => [command.name, command] as const))(
    'of %s says how it is used, with what, examples and exit codes, within 100 columns',
    async (name, command) => {
      const { code, stdout } = await runCli([...name.split(' '), '--help']);
      expect(code).toBe(0);
      expect((await runCli(['help', ...name.split(' ')])).stdout).toBe(stdout);
      expect((await runCli([...name.split(' '), '-h'])).stdout).toBe(stdout);
      for (const flag of [...Object.keys(command.options), 'help']) expect(stdout).toContain(`\n  --${flag}`);
      for (const example of command.examples) expect(stdout).toContain(`\n  ${example}\n`);
      for (const [exit] of command.exits) expect(stdout).toContain(`\n  ${exit} `);
      const prose = stdout.split('\n').filter((line) => !command.examples.includes(line.trim()));
      expect(prose.filter((line) => line.length > 100 || line.endsWith(' '))).toEqual([]);
    },
  );

  it.each(['token', 'config', 'webhook'])('of %s names the commands that begin so', async (word) => {
    const members = COMMANDS.filter(({ name }) => name.startsWith(`${word} `));
    const { code, stdout } = await runCli([word, '--help']);
    expect(code).toBe(0);
    for (const { name, summary } of members)
      expect(stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    for (const argv of [
      [word, '-h'],
      ['help', word],
    ])
      expect(await runCli(argv)).toEqual({ code: 0, stdout, stderr: '' });
  });

  it('is not given for what stands behind --', async () => {
    const { stdout, stderr } = await runCli(['run', '--', 'sh', '-c', 'exit 0', '--help']);
    expect(stdout + stderr).not.toContain('Usage');
  });
});

describe('the version', () => {
  it.each([['version'], ['--version'], ['serve', '--version']])(
    'is what %s prints, on an older Node, too',
    async (...argv) => {
      for (const nodeMajor of [20, 24])
        expect(await runCli(argv, { nodeMajor })).toEqual({
          code: 0,
          stdout: 'oneShotMetricsServer 1.2.3\n',
          stderr: '',
        });
    },
  );
});

describe('what makes no sense ends with 2 and one line', () => {
  it.each([
    [['psuh'], 'oneshot: unknown command "psuh" (did you mean push?); see oneshot help'],
    [['config'], 'oneshot: unknown command "config"; the command is config check; see oneshot help'],
    [['help', 'nothing'], 'oneshot: unknown command "nothing"; see oneshot help'],
    [
      ['push', '--vlaue=1'],
      'oneshot push: unknown flag "--vlaue" (did you mean --value?); see --help for all flags',
    ],
    [
      ['push', 'a', 'b'],
      'oneshot push: "b" is not a label; write name=value (only the first word can stand without a name; it is the label type)',
    ],
    [['push', 'a=1', 'a=2'], 'oneshot push: the label "a" appears more than once; use it once'],
    [['push', 'deploy', 'type=x'], 'oneshot push: the label "type" appears more than once; use it once'],
    [['push', '=x'], 'oneshot push: "=x" is a value without a name; write name=value'],
    [['push', 'value=3'], 'oneshot push: value is not a label; use --value=3'],
    [
      ['push', '--value=x'],
      'oneshot push: --value "x" is not a number; use a decimal such as 42, 0.5 or 1e9, or NaN, +Inf, -Inf',
    ],
    [['push', '--time=noon'], /^oneshot push: --time "noon" is not a time; use RFC 3339/],
    [['push', '--id= '], /^oneshot push: id must be 1 to 256 printable ASCII/],
    [
      ['push', '--url=server'],
      'oneshot push: --url "server" is not a valid server URL: begin it with http:// or https://, as in http://localhost:8090',
    ],
    [['push', '--url=http://a:b@c'], /must not contain credentials/],
    [
      ['push', '--user=me'],
      "oneshot push: --user must be name:password; its value isn't shown because it is a secret",
    ],
    [
      ['push', '--token=a b'],
      "oneshot push: --token must be printable ASCII without spaces; its value isn't shown because it is a secret",
    ],
    [['push', '--stdin', '--id=a'], "oneshot push: --id can't be used with --stdin; set it in each line"],
    [['push', '--', 'ls'], /anything after --/],
    [['run', 'ls'], 'oneshot run: write the command after --: oneshot run --name backup -- ./backup.sh'],
    [
      ['run', 'ls', '--', 'ls'],
      'oneshot run: "ls" is not a label; write label=value, and the command after --',
    ],
    [
      ['run', 'status=ok', '--', 'ls'],
      'oneshot run: the label status is set by oneshot run; choose another name',
    ],
    [['run', 'a=\ud800', '--', 'ls'], /half a surrogate pair/],
    [['spool', 'flsh'], 'oneshot spool: unexpected "flsh"; write oneshot spool, or oneshot spool flush'],
    [['spool'], 'oneshot spool: there is no home folder; name the folder with --spool'],
    [['scrapers', 'a'], /unexpected "a"/],
    [['scrapers', 'forget'], /name one scraper/],
    [['completion', 'tcsh'], 'oneshot completion: name one shell: bash, fish or zsh'],
    [['config', 'check', '--', '--event.metric=up'], /^oneshot config check: event\.metric "up"/],
    [['config', 'check', 'none.json'], /none\.json", which does not exist/],
  ])('%j', async (argv, message) => {
    const spawned: unknown[] = [];
    const { code, stdout, stderr } = await runCli(argv, {
      spawn: ((...call: unknown[]) => spawned.push(call)) as never,
    });
    expect({ code, stdout, lines: stderr.split('\n').length }, stderr).toEqual({
      code: 2,
      stdout: '',
      lines: 2,
    });
    if (typeof message === 'string') expect(stderr).toBe(`${message}\n`);
    else expect(stderr).toMatch(message);
    expect(spawned).toEqual([]);
  });

  it('a Node that is too old for the server', async () => {
    for (const argv of [[], ['serve'], ['--server.port=0']])
      expect(await runCli(argv, { nodeMajor: 20 })).toEqual({
        code: 2,
        stdout: '',
        stderr: 'oneshot serve: needs Node 24 or newer, but this is Node 20\n',
      });
  });
});

const SCRAPER = {
  id: 'prometheus-a',
  identifiedBy: 'parameter',
  address: '10.0.0.1',
  lastSeen: new Date(CLI_NOW - 7_000).toISOString(),
  intervalSeconds: 15,
  mode: 'timed',
  pending: 12,
  inFlight: 2,
  returned: 0,
  warnings: [{ code: 'shared_id', message: 'two share this id' }],
};

describe('scrapers', () => {
  it('are a table, with their warnings below', async () => {
    const { fetch } = fakeServer(
      json({
        scrapers: [
          SCRAPER,
          { ...SCRAPER, id: 'b', mode: undefined, intervalSeconds: undefined, warnings: [] },
        ],
      }),
    );
    const { code, stdout } = await runCli(['scrapers'], { fetch });
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'ID            KNOWN BY   ADDRESS   LAST SEEN  EVERY  TIMES     WAITING  IN FLIGHT  RETURNED',
        'prometheus-a  parameter  10.0.0.1  7 s ago    15 s   explicit       10          2         0',
        'b             parameter  10.0.0.1  7 s ago    -      -              10          2         0',
        'warning prometheus-a: two share this id',
        '',
      ].join('\n'),
    );
  });

  it('are shown with what a sink fails at, and what its receiver refused', async () => {
    const sink = {
      failing: { since: new Date(CLI_NOW - 90_000).toISOString(), why: '503: \u001b[2Jaway' },
      refused: 2,
      refusals: [
        { series: 'm{n="1"}', why: '400' },
        { series: 'm{n="2"}', why: '400: too old' },
      ],
    };
    const scrapers = [{ ...SCRAPER, id: 'sink:db', identifiedBy: 'sink', warnings: [], sink }];
    const { stdout } = await runCli(['scrapers'], { fetch: fakeServer(json({ scrapers })).fetch });
    expect(stdout.split('\n').slice(2)).toEqual([
      expect.stringMatching(/^failing sink:db for 90 s: 503: .*away$/),
      'refused sink:db 2 events, the last one m{n="2"}: 400: too old',
      '',
    ]);
    expect(stdout).not.toContain('\u001b');
    const { fetch } = fakeServer(json({ scrapers: [SCRAPER, ...scrapers] }));
    const listed = await runCli(['sinks', '--json'], { fetch });
    expect(JSON.parse(listed.stdout)).toEqual({ sinks: scrapers });
    expect((await runCli(['sinks'], { fetch: fakeServer(json({ scrapers: [SCRAPER] })).fetch })).stdout).toBe(
      'no sinks yet\n',
    );
  });

  it('are coloured on a terminal only, and not where nobody wants colours', async () => {
    const coloured = async (env: Record<string, string>, isTTY: boolean) => {
      let text = '';
      const stdout = { isTTY, write: (more: string) => (text += more) };
      await runCli(['scrapers'], { fetch: fakeServer(json({ scrapers: [SCRAPER] })).fetch, stdout, env });
      return text.includes('\u001b[');
    };
    expect(await coloured({}, true)).toBe(true);
    expect(await coloured({}, false)).toBe(false);
    expect(await coloured({ NO_COLOR: '1' }, true)).toBe(false);
    expect(await coloured({ NO_COLOR: '' }, true)).toBe(true);
    expect(await coloured({ TERM: 'dumb' }, true)).toBe(false);
  });

  it('are the JSON of the server with --json', async () => {
    const { fetch } = fakeServer(json({ scrapers: [SCRAPER] }));
    expect(JSON.parse((await runCli(['scrapers', '--json'], { fetch })).stdout)).toEqual({
      scrapers: [SCRAPER],
    });
  });

  it.each([
    [() => new Response(null, { status: 204 }), 0, 'forgotten: a/b\n'],
    [() => new Response('{"error":"no scraper","field":"id"}', { status: 404 }), 3, ''],
    [() => new Response('{"error":"nothing is at","field":"path"}', { status: 404 }), 4, ''],
    [() => new Response('<html>', { status: 200 }), 4, ''],
    [() => new Response('{"error":"stopping"}', { status: 503 }), 1, ''],
  ])('are forgotten by their id (%#)', async (answer, code, stdout) => {
    const { fetch, requests } = fakeServer(answer);
    expect(await runCli(['scrapers', 'forget', 'a/b'], { fetch })).toMatchObject({ code, stdout });
    expect(requests[0]).toMatchObject({
      method: 'DELETE',
      url: 'http://localhost:8090/api/v1/scrapers/a%2Fb',
    });
  });
});

describe('tail', () => {
  const event = (n: number, labels: Record<string, string> = { type: 'deploy' }) => ({
    offset: n,
    series: `m{n="${n}"}`,
    labels,
    value: '1',
    time: `2026-11-24T12:00:0${n}.000Z`,
    arrived: `2026-11-24T11:00:0${n}.000Z`,
  });

  it('shows the newest, then what comes, survives a server that is away, and ends when it is asked to', async () => {
    const pages = [
      { events: [event(1), event(2)], next: 2, end: 2, gone: 0 },
      { events: [event(3, { type: 'other' })], next: 3, end: 4, gone: 0 },
      { events: [event(4)], next: 4, end: 4, gone: 1 },
      undefined,
      { events: [], next: 4, end: 4, gone: 0 },
    ];
    const { fetch, requests } = fakeServer(() => {
      const page = pages.shift();
      return page === undefined ? new Response('{"error":"away"}', { status: 503 }) : json(page)();
    });
    let stop = (_signal: string): void => undefined;
    const stopAsked = new Promise<string>((resolve) => (stop = resolve));
    const { code, stdout, stderr } = await runCli(['tail', 'deploy', '-n', '5'], {
      fetch,
      signals: { stopAsked: () => stopAsked, listen: () => () => undefined },
      sleep: async () => {
        if (pages.length === 0) stop('SIGINT');
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '2026-11-24T12:00:01.000Z m{n="1"} 1',
      '2026-11-24T12:00:02.000Z m{n="2"} 1',
      '2026-11-24T12:00:04.000Z m{n="4"} 1',
      '',
    ]);
    expect(stderr).toContain('1 entries were removed from the log before they were read');
    expect(stderr).toMatch(
      /away; trying again until the server answers\noneshot tail: the server answers again\n/,
    );
    expect(requests.map(({ url }) => new URL(url).search)).toEqual([
      '?limit=5',
      '?after=2&limit=1000',
      '?after=3&limit=1000',
      '?after=4&limit=1000',
      '?after=4&limit=1000',
    ]);
  });

  /** A server with a log of entries, as the feed shows it. */
  const feedOf = (entries: readonly ReturnType<typeof event>[]) =>
    fakeServer((url) => {
      const query = new URL(url).searchParams;
      const limit = Number(query.get('limit'));
      const end = entries.length;
      const after = Number(query.get('after') ?? Math.max(0, end - limit));
      const next = Math.min(end, after + limit);
      return json({ events: entries.slice(after, next), next, end, gone: 0 })();
    });
  const log = Array.from({ length: 2_500 }, (_, n) => ({
    ...event(n + 1, { type: n % 1_000 === 0 ? 'rare' : 'common' }),
    arrived: new Date(CLI_NOW - (2_500 - n) * 1_000).toISOString(),
  }));
  const shownBy = async (...argv: string[]) => {
    const { stdout } = await runCli(['tail', '--no-follow', '--json', ...argv], feedOf(log));
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { offset: number }).offset);
  };

  it('counts the events that match, however far back they are', async () => {
    expect(await shownBy('rare', '-n', '2')).toEqual([1_001, 2_001]);
    expect(await shownBy('rare')).toEqual([1, 1_001, 2_001]);
    expect(await shownBy('common', '-n', '3')).toEqual([2_498, 2_499, 2_500]);
    expect(await shownBy('-n', '0')).toEqual([]);
  });

  it('begins with what arrived since', async () => {
    expect(await shownBy('--since=3s')).toEqual([2_498, 2_499, 2_500]);
    expect(await shownBy('--since=3s', '-n', '1')).toEqual([2_500]);
    expect(await shownBy('--since=25m', 'rare')).toEqual([1_001, 2_001]);
    expect(await shownBy('--since=25m')).toHaveLength(1_500);
  });

  it('may stop after the newest, as JSON', async () => {
    const { fetch } = fakeServer(json({ events: [event(1)], next: 1, end: 1, gone: 0 }));
    const { stdout } = await runCli(['tail', '--no-follow', '--json'], { fetch });
    expect(JSON.parse(stdout)).toEqual(event(1));
  });

  it('ends with 1 where the server can not be reached at the start', async () => {
    expect(await runCli(['tail'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'oneshot tail: http://localhost:8090: no server\n',
    });
  });
});

describe('config check', () => {
  it('says that a server could start, with what is set', async () => {
    const readFile = (path: string) => (path === 'c.json' ? '{"server":{"port":9000}}' : undefined);
    const env = { ONESHOT_LOG_LEVEL: 'DEBUG' };
    expect(await runCli(['config', 'check', 'c.json'], { readFile, env })).toEqual({
      code: 0,
      stdout: 'c.json is fine; 3 settings differ from the defaults\n',
      stderr: '',
    });
    const { stdout } = await runCli(['config', 'check', '--json', '--', '--server.port=1'], { readFile });
    expect(JSON.parse(stdout)).toEqual({ ok: true, set: { 'server.port': 'flag --server.port' } });
  });

  it('tells as JSON, too, what is wrong', async () => {
    const { code, stdout } = await runCli(['config', 'check', '--json', '--', '--server.prot=1']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: expect.stringContaining('server.port') as string,
    });
  });
});
