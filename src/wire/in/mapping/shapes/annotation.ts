import { HASHED_UNITS_MAX } from '../../../../core/textMap.ts';
import { RefusedError, shown } from '../../../../core/errors.ts';
import { isObject } from '../pointer.ts';
import type { Shape } from './shape.ts';

const TAGS_MAX = 64;

/**
 * An annotation as Grafana takes it, with its tags taken apart: those of the form `key:value` under `labels`, all others as one text under
 * `tags`. Source: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/
 */
export const annotation: Shape = (document) => {
  if (!isObject(document)) throw new RefusedError('body', 'the body must be an annotation, a JSON object');
  const { tags, ...rest } = document;
  return { ...rest, ...takenApart(tagsOf(tags)) };
};

function tagsOf(raw: unknown): readonly string[] {
  if (raw === undefined || raw === null) return [];
  // As Graphite wrote them before its release 1.0.
  const tags: unknown = typeof raw === 'string' ? raw.split(' ') : raw;
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw new RefusedError('tags', 'tags must be a list of texts, or one text with blanks between the tags');
  if (tags.length > TAGS_MAX)
    throw new RefusedError(
      'tags',
      `tags are ${tags.length}, of which at most ${TAGS_MAX} are taken; send fewer`,
    );
  return tags.map((tag) => tag.trim()).filter((tag) => tag !== '');
}

function takenApart(tags: readonly string[]): { labels: Record<string, string>; tags?: string } {
  const labels = new Map<string, string>();
  const others: string[] = [];
  for (const tag of tags) {
    const colon = tag.indexOf(':');
    const name = tag.slice(0, colon).trim();
    const value = tag.slice(colon + 1).trim();
    // An address such as https://… is no pair; nor is what begins with a name that no label can have.
    if (colon <= 0 || name.length > HASHED_UNITS_MAX || name === '' || value === '' || value.startsWith('//'))
      others.push(tag);
    else if (labels.has(name))
      throw new RefusedError('tags', `tags give ${shown(name)} more than once; give it once`);
    else labels.set(name, value);
  }
  return { labels: Object.fromEntries(labels), ...(others.length > 0 && { tags: others.join(',') }) };
}
