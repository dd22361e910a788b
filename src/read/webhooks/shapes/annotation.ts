import { HASHED_UNITS_MAX } from '../../../core/textMap.ts';
import { RefusedError } from '../../../core/errors.ts';
import { JsonNumber } from '../../json.ts';
import { isObject } from '../pointer.ts';
import type { Shape } from './shape.ts';

/**
 * An annotation as Grafana takes it, with its tags taken apart: those of the form `key:value` under `labels`, all others as one text under
 * `tags`. Source: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/
 */
export const annotation: Shape = {
  body: (document) => {
    if (!isObject(document)) throw new RefusedError('body', 'the body must be an annotation (a JSON object)');
    const { tags, ...rest } = document;
    return { ...rest, ...takenApart(tags) };
  },
  item: (item) => item,
  readsAll: true,
};

function tagsOf(raw: unknown): readonly string[] {
  // As Graphite wrote them before its release 1.0.
  const tags: unknown = typeof raw === 'string' ? raw.split(' ') : raw;
  if (!Array.isArray(tags)) return [];
  return (tags as unknown[]).flatMap((tag) => {
    const text = tag instanceof JsonNumber ? tag.text : typeof tag === 'string' ? tag.trim() : '';
    return text === '' ? [] : [text];
  });
}

function takenApart(raw: unknown): { labels?: unknown; tags?: unknown } {
  // Some clients send pairs as an object. Anything else that is no list is told as what it is.
  if (isObject(raw)) return { labels: raw };
  if (raw !== undefined && raw !== null && typeof raw !== 'string' && !Array.isArray(raw))
    return { tags: raw };
  const values = new Map<string, Set<string>>();
  const others: string[] = [];
  for (const tag of tagsOf(raw)) {
    const colon = tag.indexOf(':');
    const name = tag.slice(0, colon).trim();
    const value = tag.slice(colon + 1).trim();
    // An address such as https://… is no pair; nor is what begins with a name that no label can have.
    if (colon <= 0 || name.length > HASHED_UNITS_MAX || name === '' || value === '' || value.startsWith('//'))
      others.push(tag);
    else values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  // Tags have no order, so neither have the values of one key.
  const labels = [...values].map(([name, all]) => [name, [...all].toSorted().join(',')] as const);
  return {
    labels: Object.fromEntries(labels),
    ...(others.length > 0 && { tags: others.join(',') }),
  };
}
