import type { Document, ParsedNode } from 'yaml';
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { nearest } from '../core/nearest.ts';
import { AccessFileError } from './error.ts';

/** What one value may be. Plain scalars have no quotes, so that `true` and `5` may be more than text. */
type Value =
  | { readonly kind: 'text'; readonly text: string; readonly plain: boolean }
  | { readonly kind: 'list'; readonly items: readonly ParsedNode[] }
  | { readonly kind: 'section'; readonly section: Section };

/** A file that was read, and where its lines begin. */
export interface Yaml {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** As YAML 1.1 has them, which the exporters read. */
const NULL = /^(?:~|null|Null|NULL|)$/;
const TRUE = /^(?:true|True|TRUE|yes|Yes|YES|on|On|ON|y|Y)$/;
const FALSE = /^(?:false|False|FALSE|no|No|NO|off|Off|OFF|n|N)$/;
const INTEGER = /^[+-]?\d{1,15}$/;

/**
 * Reads YAML strictly: no key twice, none that nobody knows. Errors name the file and the place, never a value or a key that is
 * not known, since most of what these files hold is secret, and may stand in the wrong place. Throws an AccessFileError.
 */
export function readYaml(file: string, text: string): Yaml {
  const lines = new LineCounter();
  const document = parsed(file, text.replace(/^\uFEFF/, ''), lines);
  const [error] = document.errors;
  if (error === undefined) return { document, lines };
  const before = text.slice(0, error.pos[0]).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
  throw new AccessFileError(
    `${file} is not valid YAML at ${place} (${error.code}); correct the indentation or the quotes there`,
  );
}

function parsed(file: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, {
      version: '1.1',
      lineCounter,
      // All scalars are texts; what they mean is up to the key that they stand under.
      schema: 'failsafe',
      // Pretty errors quote the line, and the line may hold a secret.
      prettyErrors: false,
    });
  } catch (error) {
    // The parser's own stack is all that bounds how deep it goes.
    if (!(error instanceof RangeError)) throw error;
    throw new AccessFileError(`${file} is nested too deeply; flatten it`);
  }
}

/** A mapping of a YAML file. Every reader throws an AccessFileError for a value of another kind. */
export class Section {
  readonly #yaml: Yaml;
  readonly #place: string;
  readonly #known: readonly string[] | undefined;
  readonly #values = new Map<string, { readonly key: ParsedNode; readonly value: ParsedNode | null }>();

  private constructor(yaml: Yaml, place: string, node: unknown, known?: readonly string[]) {
    this.#yaml = yaml;
    this.#place = place;
    this.#known = known;
    this.#take(node, new Set());
    for (const key of this.#values.keys()) {
      if (known?.includes(key) !== false) continue;
      const near = nearest(key, known);
      const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
      throw new AccessFileError(
        `${place}: unknown key at line ${this.lineOf(key)}${hint}; the known keys are ${known.join(', ')}`,
      );
    }
  }

  /** The whole document. An empty one is an empty mapping. */
  static whole(file: string, yaml: Yaml, known: readonly string[]): Section {
    return new Section(yaml, file, yaml.document.contents, known);
  }

  /** The items of a list that are mappings themselves. */
  static each(
    file: string,
    yaml: Yaml,
    known: readonly string[],
  ): readonly { readonly place: string; readonly section: Section }[] {
    const node = yaml.document.contents as unknown;
    if (node === null || (isScalar(node) && NULL.test(String(node.value)))) return [];
    if (!isSeq(node)) throw new AccessFileError(`${file} must be a list; begin each entry with "- "`);
    return node.items.map((item, index) => {
      const place = `${file}: entry ${index + 1}`;
      return { place, section: new Section(yaml, place, item, known) };
    });
  }

  /** The line that a key stands on, from 1; for errors, which name no key that may be a secret. */
  lineOf(key: string): number {
    return this.#yaml.lines.linePos(this.#values.get(key)?.key.range[0] ?? 0).line;
  }

  keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** A mapping within; undefined where it is absent or empty. Without `known` any key may stand in it. */
  section(key: string, known?: readonly string[]): Section | undefined {
    const node = this.#node(key);
    return node === undefined ? undefined : new Section(this.#yaml, this.#placeOf(key), node, known);
  }

  /** Any scalar as it is written; undefined where it is absent, or null. */
  text(key: string): string | undefined {
    return this.#scalar(key, 'a string')?.text;
  }

  boolean(key: string): boolean | undefined {
    const value = this.#scalar(key, 'true or false');
    if (value === undefined) return undefined;
    if (value.plain && TRUE.test(value.text)) return true;
    if (value.plain && FALSE.test(value.text)) return false;
    throw this.#wrong(key, 'true or false, without quotes');
  }

  integer(key: string): number | undefined {
    const value = this.#scalar(key, 'a whole number');
    if (value === undefined) return undefined;
    if (value.plain && INTEGER.test(value.text)) return Number(value.text);
    throw this.#wrong(key, 'a whole number, without quotes');
  }

  texts(key: string): readonly string[] | undefined {
    const node = this.#node(key);
    if (node === undefined) return undefined;
    const value = this.#value(key, node);
    if (value.kind !== 'list') throw this.#wrong(key, 'a list');
    return value.items.map((item) => {
      const text = this.#value(key, this.#resolved(item, this.#placeOf(key)));
      if (text.kind !== 'text') throw this.#wrong(key, 'a list of strings');
      return text.text;
    });
  }

  #scalar(key: string, rule: string): { text: string; plain: boolean } | undefined {
    const node = this.#node(key);
    if (node === undefined) return undefined;
    const value = this.#value(key, node);
    if (value.kind !== 'text') throw this.#wrong(key, rule);
    return value;
  }

  /** Undefined for what is absent, or null. */
  #node(key: string): unknown {
    const node = this.#resolved(this.#values.get(key)?.value, this.#placeOf(key));
    if (node === null || node === undefined) return undefined;
    return isScalar(node) && node.type === 'PLAIN' && NULL.test(String(node.value)) ? undefined : node;
  }

  #value(key: string, node: unknown): Value {
    if (isScalar(node)) return { kind: 'text', text: String(node.value), plain: node.type === 'PLAIN' };
    if (isSeq<ParsedNode>(node)) return { kind: 'list', items: node.items };
    return { kind: 'section', section: new Section(this.#yaml, this.#placeOf(key), node) };
  }

  #resolved(node: unknown, place = this.#place): unknown {
    if (!isAlias(node)) return node;
    const anchored = node.resolve(this.#yaml.document);
    // Else a mistyped name would stand for nothing, and nothing may mean that nobody is asked for a password.
    if (anchored === undefined)
      throw new AccessFileError(
        `${place}: the value begins with *, but there is no anchor with that name before it; correct the name, or quote the value if it is a string`,
      );
    return anchored;
  }

  /** Takes the pairs of a mapping, and of those that it merges in by `<<`; a pair of its own wins. */
  #take(raw: unknown, seen: Set<unknown>): void {
    const node = this.#resolved(raw);
    if (node === null || node === undefined || seen.has(node)) return;
    if (isScalar(node) && node.type === 'PLAIN' && NULL.test(String(node.value))) return;
    if (!isMap<ParsedNode, ParsedNode | null>(node))
      throw new AccessFileError(`${this.#place} must be a mapping of keys to values`);
    seen.add(node);
    for (const { key, value } of node.items) {
      if (!isScalar(key)) throw new AccessFileError(`${this.#place}: every key must be a string`);
      const name = String(key.value);
      if (name !== '<<' && !this.#values.has(name)) this.#values.set(name, { key, value });
    }
    for (const { key, value } of node.items) {
      if (!isScalar(key) || key.value !== '<<') continue;
      const merged = this.#resolved(value);
      for (const each of isSeq(merged) ? merged.items : [merged]) this.#take(each, seen);
    }
  }

  #wrong(key: string, rule: string): AccessFileError {
    return new AccessFileError(`${this.#placeOf(key)} must be ${rule}`);
  }

  /** Keys that are the file's own are named by their lines. */
  #placeOf(key: string): string {
    return `${this.#place}: ${this.#known === undefined ? `line ${this.lineOf(key)}` : key}`;
  }
}
