import type { NewEvent } from '../client/event.ts';
import { shown } from '../core/errors.ts';
import { parseTimestamp } from '../core/timestamp.ts';
import { parseSampleValue } from '../core/value.ts';
import { UsageError } from './options.ts';

/** What a form calls the parts of an event that are no labels, and what they are called here. */
const NO_LABELS: Readonly<Record<string, string>> = {
  value: '--value',
  __name__: '--metric',
  __timestamp__: '--time',
  __id__: '--id',
};

/**
 * Reads labels from words: `deploy service=api` is `type="deploy"` and `service="api"`. Only the first word may stand without `=`.
 * Throws a UsageError.
 */
export function labelsOf(words: readonly string[]): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const [i, word] of words.entries()) {
    const equals = word.indexOf('=');
    if (equals === 0) throw new UsageError(`${shown(word)} is a value without a name; write name=value`);
    if (equals === -1 && i > 0) {
      const hint = `only the first word can stand without a name; it is the label type`;
      throw new UsageError(`${shown(word)} is not a label; write name=value (${hint})`);
    }
    const [name, value] = equals === -1 ? ['type', word] : [word.slice(0, equals), word.slice(equals + 1)];
    const option = Object.hasOwn(NO_LABELS, name) ? NO_LABELS[name] : undefined;
    if (option !== undefined) throw new UsageError(`${name} is not a label; use ${option}=${value}`);
    if (labels.has(name))
      throw new UsageError(`the label ${shown(name)} appears more than once; use it once`);
    labels.set(name, value);
  }
  return Object.fromEntries(labels);
}

/** Reads a time as the server does: RFC 3339, or Unix seconds or milliseconds. Throws a UsageError. */
export function timeOf(field: string, text: string): number {
  return asUsage(() => parseTimestamp(field, text));
}

/** Reads a sample's value as the server does. Throws a UsageError. */
export function valueOf(field: string, text: string): number {
  return asUsage(() => parseSampleValue(field, text));
}

/** An event without labels, name, value, time and id where they are not given. */
export function eventOf(parts: {
  readonly labels: NewEvent['labels'];
  readonly name?: string | undefined;
  readonly value?: string | undefined;
  readonly time?: string | undefined;
  readonly id?: string | undefined;
}): NewEvent {
  const { labels, name, value, time, id } = parts;
  return {
    labels,
    name,
    value: value === undefined ? undefined : valueOf('--value', value),
    timestamp: time === undefined ? undefined : timeOf('--time', time),
    id,
  };
}

function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}
