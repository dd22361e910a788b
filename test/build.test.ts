import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { SourceMapPayload } from 'node:module';
import { SourceMap, builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hashSync } from 'bcryptjs';
import { parseSync } from 'oxc-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN_RANDOM_BYTES, hashToken, newToken, tokenEntry } from '../src/access/tokens.ts';
import { originsOf } from '../src/cli/sourceMap.ts';
import { Random } from './faults/random.ts';
import { LICENCES, bundle } from '../scripts/build/bundle.ts';
import { HOW_TO_GET_POSTGRES, Postgres, requirePostgres } from './support/postgres.ts';
import { ServerProcess, temporaryFolder } from './support/server.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
/** From there on Node keeps a source outside of V8's heap, where compiling it takes 5 MB more. */
const SOURCE_BYTES_MAX = 1_000_000;

/** What `npm run build` makes, where the package's manifest and its guide are, and nothing else. */
const folder = temporaryFolder();
const dist = join(folder.path, 'dist');
const main = join(dist, 'main.js');
const files = () => globSync('**/*.js', { cwd: dist });

beforeAll(async () => {
  for (const file of ['package.json', 'README.md']) cpSync(join(ROOT, file), join(folder.path, file));
  await bundle(ROOT, dist);
}, 60_000);

afterAll(() => folder[Symbol.dispose]());

describe('the bundle', () => {
  it('needs no package', () => {
    const known = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
    const needed = files().flatMap((file) => {
      const text = readFileSync(join(dist, file), 'utf8');
      const { module, errors } = parseSync(file, text);
      expect(errors, file).toEqual([]);
      return [
        ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
        ...module.dynamicImports.map(({ moduleRequest }) =>
          text.slice(moduleRequest.start + 1, moduleRequest.end - 1),
        ),
        ...[...text.matchAll(/\brequire\(["'`]([^"'`]+)["'`]\)/g)].map(([, name = '']) => name),
      ];
    });
    expect(needed).toContain('./server.js');
    expect(needed.filter((name) => !name.startsWith('./') && !known.has(name))).toEqual([]);
  });

  it('is a handful of files, each small, in ASCII, with a map', () => {
    expect(files().length).toBeLessThan(22);
    for (const file of files()) {
      const text = readFileSync(join(dist, file), 'latin1');
      expect(text.length, file).toBeLessThan(SOURCE_BYTES_MAX);
      // oxlint-disable-next-line no-control-regex
      expect(text, file).toMatch(/^[\0-\x7f]*$/);
      // The shorter ones have no code of ours: they pass on what others have, or are the bundler's own.
      if (text.length > 1_000) expect(text).toContain(`//# sourceMappingURL=${file}.map`);
    }
    expect(statSync(join(dist, 'bin.js')).mode & 0o111).toBe(0o111);
  });

  it('brings the licence of each package that is in it', () => {
    const sources = globSync('*.map', { cwd: dist }).flatMap(
      (file) => (JSON.parse(readFileSync(join(dist, file), 'utf8')) as { sources: string[] }).sources,
    );
    const packages = new Set(
      sources.map((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? ''),
    );
    packages.delete('');
    expect(packages.size).toBeGreaterThan(10);
    const licences = readFileSync(join(dist, LICENCES), 'utf8')
      .split(/^-{80}$/m)
      .slice(1);
    const named = licences.map(
      (licence) => /^(\S+) \S+: (?:MIT|ISC|\(?(?:BSD|Apache)-.*)\n/m.exec(licence)?.[1] ?? '',
    );
    expect(new Set(named)).toEqual(packages);
    for (const licence of licences) {
      expect(licence).toMatch(/copyright/i);
      expect(licence).toMatch(/permission is hereby granted|permission to use|redistribution and use/i);
    }
  });

  it('has maps, which are read as Node reads them', () => {
    const random = new Random(1);
    for (const file of ['cli.js', 'server.js', 'main.js']) {
      const lines = readFileSync(join(dist, file), 'utf8').split('\n');
      const map = JSON.parse(readFileSync(join(dist, `${file}.map`), 'utf8')) as SourceMapPayload;
      expect(map.sourcesContent ?? []).toEqual([]);
      // Node takes a last segment without a source for one with it, unless something follows.
      const nodes = new SourceMap({ ...map, mappings: `${map.mappings};` });
      const places = Array.from({ length: 500 }, () => {
        const line = Math.floor(random.between(0, lines.length - 1));
        return { line: line + 1, column: Math.floor(random.between(1, (lines[line]?.length ?? 0) + 2)) };
      });
      const expected = places.map(({ line, column }) => {
        const entry = nodes.findEntry(line - 1, column - 1);
        // For what comes before all that is known of a line, Node says what is known of the line before.
        if (!('originalSource' in entry) || entry.generatedLine !== line - 1) return undefined;
        if ((entry.originalSource as string | undefined) === undefined) return undefined;
        return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
      });
      expect(new Set(expected).size).toBeGreaterThan(20);
      expect(originsOf(map, places)).toEqual(expected);
    }
  });

  it('names the sources in a stack', async () => {
    const broken = [
      '--import',
      'data:text/javascript,Date.now=()=>0.5',
      '--disable-warning=ExperimentalWarning',
    ];
    const ran = run(process.execPath, [...broken, main, '--store.kind=memory'], { cwd: folder.path });
    const { code, stderr } = (await ran.catch((error: unknown) => error)) as { code: number; stderr: string };
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^RangeError: .*\n {4}at BigInt \(<anonymous>\)\n {4}at node_modules\/pino\/lib\/time\.js:\d+:\d+\n/,
    );
    expect(stderr).toMatch(/ \(src\/cli\/serveCommand\.ts:\d+:\d+\)\n/);
  });

  it('runs commands', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const { stdout } = await run(process.execPath, [join(dist, 'bin.js'), '--version']);
    expect(stdout).toBe(`oneShotMetricsServer ${version}\n`);
    const check = await run(process.execPath, [main, 'config', 'check'], { cwd: folder.path });
    expect(check.stdout).toContain('the configuration is fine');
  });

  it('knows users and tokens, and compares passwords in a thread of its own', async () => {
    const token = newToken(randomBytes(TOKEN_RANDOM_BYTES));
    const web = join(folder.path, 'web.yaml');
    const tokens = join(folder.path, 'tokens.yaml');
    writeFileSync(web, `basic_auth_users:\n  ann: ${hashSync('open sesame', 4)}\n`);
    writeFileSync(tokens, tokenEntry({ name: 'ci', scopes: ['scrape'], hash: hashToken(token) }));
    const flags = ['--store.kind=memory', `--web.config.file=${web}`, `--auth.tokens.file=${tokens}`];
    const server = await ServerProcess.start(flags, { main });
    const statusOf = async (authorization: string) =>
      (await fetch(`${server.url}/metrics`, { headers: { authorization } })).status;
    try {
      expect(await statusOf(`Basic ${btoa('ann:open sesame')}`)).toBe(200);
      expect(await statusOf(`Basic ${btoa('ann:open')}`)).toBe(401);
      expect(await statusOf(`Bearer ${token}`)).toBe(200);
    } finally {
      expect(await server.end('SIGTERM')).toBe(0);
    }
  });

  it('has the driver of PostgreSQL in a file of its own, and needs it for nothing else', async () => {
    const maps = globSync('*.map', { cwd: dist });
    const isDriver = (map: string) => readFileSync(join(dist, map), 'utf8').includes('node_modules/pg/');
    expect(maps.filter(isDriver)).toEqual(['driver.js.map']);
    const driver = join(dist, 'driver.js');
    const aside = join(folder.path, 'driver.js');
    renameSync(driver, aside);
    try {
      const server = await ServerProcess.start([`--store.path=${folder.path}/data`], { main });
      expect((await fetch(`${server.url}/event?type=x`, { method: 'POST' })).status).toBe(200);
      expect(await server.end('SIGTERM')).toBe(0);
      const flags = ['--store.kind=postgres', '--store.url=postgres://a@b/c'];
      const { stdout } = await run(process.execPath, [main, 'config', 'check', '--', ...flags]);
      expect(stdout).toContain('the configuration is fine');
    } finally {
      renameSync(aside, driver);
    }
  });

  it.skipIf(requirePostgres() === undefined)(
    `keeps a log in PostgreSQL (${HOW_TO_GET_POSTGRES})`,
    async () => {
      await using postgres = await Postgres.start();
      const flags = ['--store.kind=postgres', `--store.url=${postgres.url}`];
      const server = await ServerProcess.start(flags, { main });
      expect((await fetch(`${server.url}/event?type=x`, { method: 'POST' })).status).toBe(200);
      expect(await server.end('SIGTERM')).toBe(0);
      expect(await postgres.query('SELECT count(*) FROM oneshot.blocks')).toEqual([['1']]);
    },
  );

  // The last one, since it takes them away.
  it('answers what is seldom asked for even when its files are gone', async () => {
    const server = await ServerProcess.start(['--store.kind=memory'], { main });
    try {
      rmSync(dist, { recursive: true });
      const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: object };
      expect(Object.keys(paths)).toContain('/event');
      expect(await (await fetch(`${server.url}/docs`)).text()).toBe(
        readFileSync(join(ROOT, 'README.md'), 'utf8'),
      );
      const page = await fetch(server.url, { headers: { accept: 'text/html' } });
      expect(await page.text()).toContain('<h1>oneShotMetricsServer</h1>');
      const sent = { method: 'POST', body: '{"ref": "refs/heads/main"}' };
      const headers = { 'content-type': 'application/json', 'x-github-event': 'push' };
      expect((await fetch(`${server.url}/webhook/github`, { ...sent, headers })).status).toBe(200);
      expect((await fetch(`${server.url}/event?type=x`, { method: 'POST' })).status).toBe(200);
      const accept =
        'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
      expect((await fetch(`${server.url}/metrics?scraper=a`, { headers: { accept } })).status).toBe(200);
    } finally {
      expect(await server.end('SIGTERM')).toBe(0);
    }
  });
});
