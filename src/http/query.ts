import type { IncomingMessage } from 'node:http';
import { RefusedError, shown } from '../core/errors.ts';
import { parseForm } from '../read/form.ts';
import type { Parameters } from './identify.ts';

/** Parameters that a reading request may carry. */
const PARAMETERS_MAX = 100;

/** A URL's query as it came, without the `?`. */
export function queryOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

/**
 * A URL's parameters. One of `lists` may be given several times, and has its values with commas between. Throws a RefusedError for another
 * that is given twice, or can't be read.
 */
export function parametersOf(request: IncomingMessage, lists: readonly string[] = []): Parameters {
  const parameters = new Map<string, string>();
  for (const [name, value] of parseForm('url', queryOf(request), PARAMETERS_MAX)) {
    const before = parameters.get(name);
    if (before !== undefined && !lists.includes(name))
      throw new RefusedError(name, `the parameter ${shown(name)} appears more than once; use it once`);
    parameters.set(name, before === undefined ? value : `${before},${value}`);
  }
  return parameters;
}

/** A parameter that is `true` or `false`; absent, it is false. Throws a RefusedError for anything else. */
export function flagOf(parameters: Parameters, name: string): boolean {
  const value = parameters.get(name)?.toLowerCase();
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new RefusedError(name, `${name} ${shown(value)} must be true or false`);
}
