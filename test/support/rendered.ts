import { Share } from '../../src/core/memory.ts';
import type { Entry } from '../../src/core/entry.ts';
import { runOf } from '../../src/core/run.ts';
import type { Family } from '../../src/render/families.ts';
import type { Format } from '../../src/render/negotiate.ts';
import { negotiate } from '../../src/render/negotiate.ts';
import { Renderer } from '../../src/render/render.ts';

/** The media types of each kind of exposition. */
export const MEDIA = {
  protobuf: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
  text: 'text/plain;version=1.0.0',
};
/** Each of them in each escaping. */
export const FORMATS = Object.values(MEDIA).flatMap((media) =>
  ['allow-utf-8', 'underscores', 'dots', 'values'].map((escaping) =>
    negotiate(`${media};escaping=${escaping}`),
  ),
);

/** A whole body of entries that are one run. */
export function render(
  format: Format,
  entries: readonly Entry[],
  families: readonly Family[],
  options: { readonly timed: boolean; readonly without?: readonly string[] },
): Buffer {
  const own = [{ families, isShared: false }];
  return joined(whole(new Renderer(new Share(Infinity)).render(format, [runOf(entries)], own, options)));
}

/** A body in Prometheus' text format, without metrics of the server's own. */
export function renderText(entries: readonly Entry[], options: { readonly timed: boolean }): string {
  return render(negotiate('text/plain;escaping=underscores'), entries, [], options).toString();
}

/** The bytes of a body. */
export function joined(pieces: readonly { readonly bytes: Uint8Array }[]): Buffer {
  return Buffer.concat(pieces.map(({ bytes }) => bytes));
}

/** What comes of work that is made in steps. */
export function whole<Result>(steps: Iterator<void, Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
