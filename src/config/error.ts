/** A setting that can't be used. The message is one clear line: which key, from where, the rule, the value, what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const SHOWN_CHARACTERS_MAX = 60;

/** A value as an error may show it: quoted, on one line, cut short. `raw` is a text, or whatever JSON can hold. */
export function shown(raw: unknown): string {
  if (typeof raw === 'string') return JSON.stringify(cut(raw));
  return cut(JSON.stringify(raw) ?? String(raw));
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}
