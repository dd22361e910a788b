/** One media range of an Accept header. Names of types and of parameters are in lower case, as case has no meaning there. */
export interface MediaRange {
  /** `text`, or `*`. */
  readonly type: string;
  /** `plain`, or `*`. */
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** How much it is wanted, from 0, which is not at all, to 1. */
  readonly weight: number;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const QUOTED = /^"(?:[^"\\]|\\.)*"$/s;
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * Reads an Accept header: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 * A range that can't be read is left out, and the others count: a scrape should not fail for it.
 */
export function parseAccept(header: string): MediaRange[] {
  return split(header, ',')
    .map((piece) => parseRange(piece))
    .filter((range) => range !== undefined);
}

function parseRange(piece: string): MediaRange | undefined {
  const [media = '', ...rest] = split(piece, ';');
  const [type = '', subtype = '', ...more] = media.toLowerCase().split('/');
  if (!TOKEN.test(type) || !TOKEN.test(subtype) || more.length > 0) return undefined;
  if (type === '*' && subtype !== '*') return undefined;
  const parameters = new Map<string, string>();
  let weight = 1;
  for (const each of rest) {
    if (each === '') continue;
    const equals = each.indexOf('=');
    const name = each.slice(0, equals).trimEnd().toLowerCase();
    const value = unquote(each.slice(equals + 1).trimStart());
    if (equals === -1 || !TOKEN.test(name) || value === undefined) return undefined;
    if (name !== 'q') parameters.set(name, value);
    else if (WEIGHT.test(value)) weight = Number(value);
    else return undefined;
  }
  return { type, subtype, parameters, weight };
}

function unquote(value: string): string | undefined {
  if (TOKEN.test(value)) return value;
  return QUOTED.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : undefined;
}

/** The trimmed pieces between separators; those inside quotes separate nothing. */
function split(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let place = 0; place < text.length; place++) {
    const character = text[place];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === '\\' && isQuoted) place++;
    else if (character === separator && !isQuoted) {
      pieces.push(text.slice(from, place).trim());
      from = place + 1;
    }
  }
  return [...pieces, text.slice(from).trim()];
}
