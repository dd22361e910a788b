import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../src');
const LINES_MAX = 400;

/** What each room may name. Arrows only go down: see ARCHITECTURE.md. */
const ARROWS: Record<string, readonly string[]> = {
  bin: ['main'],
  main: ['cli', 'core', 'config'],
  cli: ['app', 'access', 'client', 'config', 'intake', 'core', 'log', 'observe'],
  client: [],
  app: [
    'access',
    'http',
    'ui',
    'config',
    'observe',
    'read',
    'intake',
    'delivery',
    'sinks',
    'render',
    'counting',
    'core',
    'log',
    'kubernetes',
    'log/memory',
    'log/sqlite',
  ],
  http: ['access', 'read', 'intake', 'delivery', 'render', 'counting', 'core'],
  ui: [],
  observe: ['access', 'http', 'delivery', 'sinks', 'render', 'counting', 'core', 'log'],
  config: ['core'],
  access: ['core'],
  kubernetes: ['core'],
  // The wing that takes in.
  read: ['intake', 'core'],
  intake: ['counting', 'log', 'core'],
  // The wing that gives out: it knows nothing of the other.
  delivery: ['counting', 'log', 'core'],
  // What is called, instead of calling.
  sinks: ['delivery', 'render', 'counting', 'core'],
  render: ['core'],
  counting: ['log', 'core'],
  'log/memory': ['log', 'core'],
  'log/sqlite': ['log', 'core'],
  log: ['core'],
  core: [],
};

/** Rooms that know no Node and no package: the client's runs in browsers, too. */
const PURE = new Set(['core', 'read', 'intake', 'delivery', 'render', 'counting', 'client']);

/** Where the clock and randomness may come from: the process, and the runtime that an application lends the client. */
const IMPURE = new Set(['main.ts', 'client/platform.ts']);

/** What a pure file may import all the same: what only computes, or lets others go on in between. */
const PURE_LIBRARIES: Record<string, string> = {
  'render/protobuf.ts': '@bufbuild/protobuf/wire',
  'intake/remembered.ts': 'node:timers/promises',
  'intake/seriesCap.ts': 'node:crypto',
  'delivery/page.ts': 'node:timers/promises',
  'counting/counters.ts': 'node:timers/promises',
  'counting/shortValue.ts': 'node:crypto',
};

interface Source {
  readonly path: string;
  readonly room: string;
  readonly lines: number;
  readonly text: string;
  readonly imports: readonly string[];
}

/** The room a file belongs to, by its path under src: `core`, `log` for the ports, `log/sqlite` for a log, `main`. */
function roomOf(path: string): string {
  const [room = '', log = ''] = path.replace(/\.ts$/, '').split('/');
  return room === 'log' && ARROWS[`log/${log}`] !== undefined ? `log/${log}` : room;
}

function read(path: string): Source {
  const text = readFileSync(join(SRC, path), 'utf8');
  const { module, errors } = parseSync(path, text);
  expect(errors, path).toEqual([]);
  const imports = [
    ...module.staticImports.map((each) => each.moduleRequest.value),
    ...module.staticExports.flatMap((each) =>
      each.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.map((each) =>
      text.slice(each.moduleRequest.start + 1, each.moduleRequest.end - 1),
    ),
  ];
  return { path, room: roomOf(path), lines: text.split('\n').length, text, imports };
}

const sources = globSync('**/*.ts', { cwd: SRC })
  .filter((path) => !path.endsWith('.test.ts'))
  .map((path) => read(path.replaceAll('\\', '/')));

/** The room that a relative import leads to. */
function target(source: Source, specifier: string): string {
  return roomOf(relative(SRC, join(SRC, dirname(source.path), specifier)).replaceAll('\\', '/'));
}

/** The table of ARCHITECTURE.md, with rooms named as here. */
function arrowsOnThePage(): Record<string, readonly string[]> {
  const page = readFileSync(join(SRC, '../ARCHITECTURE.md'), 'utf8');
  const section = /^## Arrows$([\s\S]*?)^## /m.exec(page)?.[1] ?? '';
  const rooms = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => roomOf(name));
  return Object.fromEntries(
    [...section.matchAll(/^\| (`.*?) +\| (.*?) +\|$/gm)].flatMap(([, from = '', to = '']) =>
      rooms(from).map((room) => [room, rooms(to)]),
    ),
  );
}

describe('the house', () => {
  it('was really read: every room has files, and they import something', () => {
    expect(new Set(sources.map(({ room }) => room))).toEqual(new Set(Object.keys(ARROWS)));
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
  });

  it('has arrows that only go down', () => {
    const wrong = sources.flatMap((source) =>
      source.imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => ({ from: source.room, to: target(source, specifier), path: source.path }))
        .filter(({ from, to }) => from !== to && !ARROWS[from]?.includes(to)),
    );
    expect(wrong).toEqual([]);
  });

  it('has no circle of files', () => {
    const left = new Map(
      sources.map((source) => [
        source.path,
        source.imports
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => join(dirname(source.path), specifier).replaceAll('\\', '/')),
      ]),
    );
    // What needs nothing that is left can't be in a circle, nor can what nothing that is left needs.
    for (let before = -1; before !== left.size;) {
      before = left.size;
      for (const [path, needs] of left) if (!needs.some((each) => left.has(each))) left.delete(path);
      const needed = new Set([...left.values()].flat());
      for (const path of left.keys()) if (!needed.has(path)) left.delete(path);
    }
    expect([...left.keys()]).toEqual([]);
  });

  it('has the arrows that ARCHITECTURE.md shows', () => {
    const inOrder = (arrows: Record<string, readonly string[]>) =>
      Object.fromEntries(Object.entries(arrows).map(([from, to]) => [from, to.toSorted()]));
    expect(inOrder(arrowsOnThePage())).toEqual(inOrder(ARROWS));
  });

  it('names a concrete log where one is opened, and where its files are looked at', () => {
    const naming = sources.filter((source) =>
      source.imports.some((specifier) => {
        const to = specifier.startsWith('.') ? target(source, specifier) : '';
        return to !== source.room && to.startsWith('log/') && to !== 'log';
      }),
    );
    expect(naming.map(({ path }) => path)).toEqual(['app/logFiles.ts', 'app/openLog.ts']);
  });

  it('keeps the rooms that only compute free of Node and of packages', () => {
    const outside = sources
      .filter(({ room }) => PURE.has(room))
      .flatMap(({ path, imports }) =>
        imports
          .filter((specifier) => !specifier.startsWith('.') && PURE_LIBRARIES[path] !== specifier)
          .map((specifier) => [path, specifier]),
      );
    expect(outside).toEqual([]);
  });

  it("takes time and randomness as inputs outside main.ts and the client's platform.ts", () => {
    const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bgetRandomValues\(|\brandomUUID\(/;
    expect(
      sources.filter(({ text, path }) => !IMPURE.has(path) && impure.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  it('reads the environment and ends the process in main.ts only', () => {
    const inMain = /\bprocess\.(?:env|argv|exit)\b/;
    expect(
      sources.filter(({ text, path }) => path !== 'main.ts' && inMain.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  it(`has no file above ${LINES_MAX} lines`, () => {
    expect(
      sources.filter(({ lines }) => lines > LINES_MAX).map(({ path, lines }) => ({ path, lines })),
    ).toEqual([]);
  });
});
