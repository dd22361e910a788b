/** One line of a plot: its name, and its points. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 130;
const TOP = 36;
const BOTTOM = 48;
const COLOURS = ['#3066be', '#b4436c', '#5f8a3c', '#e08e45'];

/** Draws lines over two logarithmic axes, as a whole SVG file. All values must be above 0. */
export function draw({ title, x, y, lines }: Plot): string {
  const all = lines.flatMap(({ points }) => points);
  const [fromX, toX] = decades(all.map(([value]) => value));
  const [fromY, toY] = decades(all.map(([, value]) => value));
  const placeX = (value: number) =>
    LEFT + ((Math.log10(value) - fromX) / (toX - fromX)) * (WIDTH - LEFT - RIGHT);
  const placeY = (value: number) =>
    HEIGHT - BOTTOM - ((Math.log10(value) - fromY) / (toY - fromY)) * (HEIGHT - TOP - BOTTOM);
  const parts = [text(WIDTH / 2 - RIGHT / 2, 20, title, 'middle', 'bold')];
  for (let power = fromX; power <= toX; power += 1) {
    const at = placeX(10 ** power);
    parts.push(
      rule(at, TOP, at, HEIGHT - BOTTOM),
      text(at, HEIGHT - BOTTOM + 16, short(10 ** power), 'middle'),
    );
  }
  for (let power = fromY; power <= toY; power += 1) {
    const at = placeY(10 ** power);
    parts.push(rule(LEFT, at, WIDTH - RIGHT, at), text(LEFT - 6, at + 4, short(10 ** power), 'end'));
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x, 'middle'), text(6, TOP - 10, y, 'start'));
  for (const [i, { name, points }] of lines.entries()) {
    const colour = COLOURS[i % COLOURS.length] ?? '#000000';
    const places = points.map(([px, py]) => [placeX(px), placeY(py)] as const);
    const path = places.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [px, py] of places)
      parts.push(`<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${colour}"/>`);
    const [, endY = 0] = places.at(-1) ?? [];
    parts.push(text(WIDTH - RIGHT + 8, endY + 4, name, 'start', 'normal', colour));
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`;
  return [head, '<rect width="100%" height="100%" fill="#ffffff"/>', ...parts, '</svg>', ''].join('\n');
}

/** Whole powers of ten around the values, at least one apart. */
function decades(values: readonly number[]): readonly [number, number] {
  const from = Math.floor(Math.log10(Math.min(...values)));
  return [from, Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#dddddd"/>`;
}

function text(
  x: number,
  y: number,
  words: string,
  anchor: string,
  weight = 'normal',
  colour = '#333333',
): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-weight="${weight}" fill="${colour}">${words}</text>`;
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(1)));
}
