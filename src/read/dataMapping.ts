import type { Json } from './json.ts';
import { isJsonObject } from './json.ts';
import { labelValueOf } from './jsonEvents.ts';

/** Which part of a CloudEvent's data becomes which label, or the event's value where the name is `value`. */
export interface DataMapping {
  readonly name: string;
  /** The names and indices of a JSON pointer: https://www.rfc-editor.org/rfc/rfc6901 */
  readonly pointer: readonly string[];
}

/** Reads `label=/json/pointer`; undefined for anything else. */
export function parseDataMapping(text: string): DataMapping | undefined {
  const [, name, pointer] = /^([^=]+)=((?:\/(?:[^~/]|~[01])*)+)$/.exec(text) ?? [];
  if (name === undefined || pointer === undefined) return undefined;
  const segments = pointer.slice(1).split('/');
  return { name, pointer: segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~')) };
}

/** What the mappings find in data. What is not there, or null, is left out. Throws a RefusedError for an object or an array. */
export function mapData(
  data: Json | undefined,
  mappings: readonly DataMapping[],
): readonly (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const { name, pointer } of mappings) {
    const found = find(data, pointer);
    if (found !== undefined && found !== null)
      pairs.push([name, labelValueOf(`data/${pointer.join('/')}`, found)]);
  }
  return pairs;
}

function find(data: Json | undefined, pointer: readonly string[]): Json | undefined {
  let at = data;
  for (const step of pointer) {
    if (Array.isArray(at))
      at = /^(?:0|[1-9]\d*)$/.test(step) ? (at as readonly Json[])[Number(step)] : undefined;
    else at = isJsonObject(at) ? at[step] : undefined;
  }
  return at;
}
