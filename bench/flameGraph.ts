import type { Profiler } from 'node:inspector';

/** A function as it was called on one path, and what was sampled of it and of what it called. */
interface Frame {
  readonly name: string;
  readonly kind: keyof typeof COLOURS;
  /** In µs, all it called included. */
  total: number;
  readonly children: Map<string, Frame>;
}

const WIDTH = 1_000;
const ROW = 15;
const TOP = 40;
/** A narrower frame is left out: nobody can read it. */
const NARROWEST = 1.5;
const CHARACTER = 6.2;
const COLOURS = { ours: '#e8793a', library: '#5b8fc9', node: '#b9c4cf', engine: '#d9d2a6' } as const;

/**
 * Draws a profile as a flame graph, as a whole SVG file: a frame is as wide as it took time, and stands on its caller. What waited is left
 * out, and its share told. Source of the form: https://www.brendangregg.com/flamegraphs.html
 */
export function drawFlames(title: string, profile: Profiler.Profile): string {
  const { root, idle, all } = framesOf(profile);
  const parts: string[] = [];
  const depth = drawFrame(parts, root, 0, WIDTH, 0, root.total);
  const height = TOP + (depth + 1) * ROW + 24;
  const waited = `${((idle / all) * 100).toFixed(0)} % of the time it waited`;
  const legend = Object.entries(COLOURS).map(
    ([kind, colour], i) =>
      `<rect x="${10 + i * 110}" y="${height - 18}" width="10" height="10" fill="${colour}"/>${label(24 + i * 110, height - 9, LEGEND[kind as keyof typeof COLOURS])}`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="10" y="18" font-size="13" font-family="sans-serif">${escaped(title)}; ${waited}</text>`,
    ...parts,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

const LEGEND: Record<keyof typeof COLOURS, string> = {
  ours: 'this server',
  library: 'packages',
  node: 'Node',
  engine: 'native, GC',
};

/** The share of each function by itself, the largest first: for people who read tables. */
export function topOf(
  profile: Profiler.Profile,
  count: number,
): readonly (readonly [name: string, share: number])[] {
  const selfs = new Map<string, number>();
  let all = 0;
  for (const { path, time } of samplesOf(profile)) {
    const call = path.at(-1);
    if (call === undefined || call.functionName === '(idle)') continue;
    const { name } = nameOf(call);
    all += time;
    selfs.set(name, (selfs.get(name) ?? 0) + time);
  }
  const sorted = [...selfs].toSorted(([, a], [, b]) => b - a).slice(0, count);
  return sorted.map(([name, time]) => [name, time / all]);
}

function framesOf(profile: Profiler.Profile): { root: Frame; idle: number; all: number } {
  const root: Frame = { name: 'all', kind: 'node', total: 0, children: new Map() };
  let idle = 0;
  let all = 0;
  for (const { path, time } of samplesOf(profile)) {
    all += time;
    if (path.at(-1)?.functionName === '(idle)') {
      idle += time;
      continue;
    }
    let frame = root;
    frame.total += time;
    for (const call of path) {
      const { name, kind } = nameOf(call);
      let next = frame.children.get(name);
      if (next === undefined)
        frame.children.set(name, (next = { name, kind, total: 0, children: new Map() }));
      next.total += time;
      frame = next;
    }
  }
  return { root, idle, all };
}

interface Sampled {
  /** From what Node called to what ran. */
  readonly path: readonly Profiler.ProfileNode['callFrame'][];
  /** By itself, in µs. */
  readonly time: number;
}

/** What was sampled, but for the profiling itself. */
function samplesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): readonly Sampled[] {
  const parents = new Map<number, Profiler.ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const times = new Map<number, number>();
  for (const [i, id] of samples.entries()) times.set(id, (times.get(id) ?? 0) + (timeDeltas[i] ?? 0));
  return nodes.flatMap((node) => {
    const time = times.get(node.id) ?? 0;
    const path: Profiler.ProfileNode['callFrame'][] = [];
    // The root stands for the whole program.
    for (let at: Profiler.ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id))
      if (parents.has(at.id)) path.unshift(at.callFrame);
    const isProfiling = path.some(({ url }) => url.endsWith('/bench/profilePreload.ts'));
    return time === 0 || isProfiling ? [] : [{ path, time }];
  });
}

/** No path of this machine in it: what lies below `src` or `node_modules`, or Node's own module. */
function nameOf({
  functionName,
  url,
  lineNumber,
}: Profiler.ProfileNode['callFrame']): Pick<Frame, 'name' | 'kind'> {
  const called = functionName === '' ? '(anonymous)' : functionName;
  const own = /\/(?:src|bench)\/(.*)$/.exec(url)?.[1];
  const library = /\/node_modules\/(.*)$/.exec(url)?.[1];
  if (library !== undefined) return { name: `${called} ${library}`, kind: 'library' };
  if (own !== undefined) return { name: `${called} ${own}:${lineNumber + 1}`, kind: 'ours' };
  if (url.startsWith('node:')) return { name: `${called} ${url}`, kind: 'node' };
  return { name: called, kind: 'engine' };
}

/** Draws a frame and what stands on it; returns the deepest row. */
function drawFrame(
  parts: string[],
  frame: Frame,
  x: number,
  width: number,
  row: number,
  all: number,
): number {
  const y = TOP + row * ROW;
  const share = ((frame.total / all) * 100).toFixed(1);
  const room = Math.floor((width - 4) / CHARACTER);
  const shown = room < 3 ? '' : frame.name.length > room ? `${frame.name.slice(0, room - 1)}…` : frame.name;
  parts.push(
    `<g><title>${escaped(frame.name)} ${share} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${(width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[frame.kind]}"/>${shown === '' ? '' : label(x + 2, y + 11, shown)}</g>`,
  );
  let deepest = row;
  let at = x;
  for (const child of [...frame.children.values()].toSorted((a, b) => b.total - a.total)) {
    const wide = (child.total / frame.total) * width;
    if (wide >= NARROWEST) deepest = Math.max(deepest, drawFrame(parts, child, at, wide, row + 1, all));
    at += wide;
  }
  return deepest;
}

function label(x: number, y: number, text: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
