import type { Entry } from '../../core/entry.ts';
import { escapeFamily } from './escape.ts';
import type { Family } from './families.ts';
import type { Format } from './negotiate.ts';
import { renderOpenMetrics } from './openmetrics.ts';
import { renderProtobuf } from './protobuf.ts';
import { renderFamilies, renderText } from './text.ts';

const encoder = new TextEncoder();

/**
 * A whole body in the format that was agreed on: the entries, then the server's own metrics. Untimed, the caller has seen to it that
 * a series stands once; timed, the entries may stand in any order.
 */
export function render(
  format: Format,
  entries: readonly Entry[],
  families: readonly Family[],
  options: { readonly timed: boolean },
): Uint8Array {
  const { kind, escaping } = format;
  const shown = { timed: options.timed, escaping };
  const own = families.map((family) => escapeFamily(family, escaping));
  switch (kind) {
    case 'protobuf':
      return renderProtobuf(entries, own, shown);
    case 'openmetrics':
      return encoder.encode(renderOpenMetrics(entries, own, shown));
    case 'text':
      return encoder.encode(renderText(entries, shown) + renderFamilies(own));
    default:
      return kind satisfies never;
  }
}
