/** What can be made of a text before it becomes a label. Each takes time in proportion to its text. */
export const TRANSFORMS = {
  lower: (text: string) => text.toLowerCase(),
  trim: (text: string) => text.trim(),
  'first-line': (text: string) => text.slice(0, endOf(text.search(/[\r\n]/), text)),
  'first-segment': (text: string) => text.slice(0, endOf(text.indexOf('/'), text)),
  'last-segment': (text: string) => text.slice(text.lastIndexOf('/') + 1),
  'ref-name': (text: string) => text.slice(refPrefix(text)?.length ?? 0),
  'ref-type': (text: string) => REF_TYPES.get(refPrefix(text) ?? '') ?? 'other',
  'short-sha': (text: string) => shortSha(text),
} as const satisfies Record<string, (text: string) => string>;

export type Transform = keyof typeof TRANSFORMS;

/** What each is for, for the documentation. */
export const TRANSFORM_MEANINGS: Record<Transform, string> = {
  lower: 'lower case',
  trim: 'without whitespace at both ends',
  'first-line': 'the part before the first line break',
  'first-segment': 'the part before the first `/`',
  'last-segment': 'the part after the last `/`',
  'ref-name': 'a git ref without `refs/heads/` or `refs/tags/`',
  'ref-type': '`branch`, `tag` or `other`, depending on how a git ref begins',
  'short-sha':
    'the first 7 digits if the text is, or ends in, a full git hash (`main@sha1:…`); otherwise unchanged',
};

export function isTransform(name: string): name is Transform {
  return Object.hasOwn(TRANSFORMS, name);
}

const REF_TYPES: ReadonlyMap<string, string> = new Map([
  ['refs/heads/', 'branch'],
  ['refs/tags/', 'tag'],
]);

function refPrefix(text: string): string | undefined {
  return [...REF_TYPES.keys()].find((prefix) => text.startsWith(prefix));
}

/** SHA-256 first: the last 40 of its digits look like a SHA-1. */
const HASH_LENGTHS = [64, 40];
const SHORT_LENGTH = 7;

function shortSha(text: string): string {
  for (const length of HASH_LENGTHS) {
    const end = text.slice(-length);
    if (end.length === length && /^[0-9a-fA-F]+$/.test(end)) return end.slice(0, SHORT_LENGTH);
  }
  return text;
}

function endOf(index: number, text: string): number {
  return index === -1 ? text.length : index;
}
