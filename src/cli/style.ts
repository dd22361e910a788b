import type { Environment } from '../config/environment.ts';
import type { Output } from './io.ts';

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Colour = keyof typeof COLOURS;

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** Colours for a terminal only, and not where `NO_COLOR` says that nobody wants them: https://no-color.org */
export function paintFor(output: Output, env: Environment): Paint {
  const wanted = output.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return (colour, text) => (wanted ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text);
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** What others have written, for a terminal, which would obey the control characters in it. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
